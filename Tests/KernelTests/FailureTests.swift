import StepwellModel
import Testing

@Suite("A step that has failed for good")
struct FailureTests {
    @Test("It does not poison a branch that does not depend on it")
    func independentBranches() throws {
        var story = Story(pipeline)
        _ = try story.submit()
        #expect(
            try story.fail("extract_sales", retryable: false) == [
                "attempt.failed extract_sales/1", "step.failed extract_sales: not_retryable",
            ])
        #expect(story.state() == .inProgress)
        for source in ["inventory", "customers"] {
            #expect(try story.succeed("extract_\(source)").last == "attempt.started transform_\(source)/1 on 1")
        }
        #expect(try story.succeed("transform_inventory").last == "step.completed transform_inventory")
        #expect(
            try story.succeed("transform_customers") == [
                "attempt.succeeded transform_customers/1", "step.completed transform_customers", "task.blocked",
            ])
        #expect(story.state() == .blockedByFailures)
        #expect(story.state("transform_sales") == .pending)
        #expect(story.state("aggregate") == .pending)
    }

    @Test("Once it is retried with success the task goes on as if nothing had been")
    func backFromBlocked() throws {
        var story = Story(pipeline)
        _ = try story.submit()
        _ = try story.fail("extract_sales", retryable: false)
        for source in ["inventory", "customers"] {
            _ = try story.succeed("extract_\(source)")
            _ = try story.succeed("transform_\(source)")
        }
        _ = try story.retry()
        #expect(story.state() == .inProgress)
        _ = try story.succeed("extract_sales")
        #expect(try story.succeed("transform_sales").last == "attempt.started aggregate/1 on 1")
        _ = try story.succeed("aggregate")
        #expect(try story.succeed("insights").last == "task.completed")
    }

    @Test("As long as another step waits for its retry the task waits, and is blocked only when that is over")
    func waitingThenBlocked() throws {
        var story = Story(steps("a, b"))
        _ = try story.submit()
        #expect(try story.fail("b").last == "retry.scheduled b in 1000 ms")
        #expect(
            try story.fail("a", retryable: false) == [
                "attempt.failed a/1", "step.failed a: not_retryable", "task.waiting",
            ])
        #expect(story.state() == .waitingForRetry)
        _ = try story.pass(1000)
        #expect(try story.succeed("b").last == "task.blocked")
    }

    @Test("The task waits when the last of its steps does, and steps that are due together start together")
    func waitsTogether() throws {
        var story = Story(steps("a, b"))
        _ = try story.submit()
        _ = try story.fail("a")
        #expect(try story.fail("b").last == "task.waiting")
        #expect(
            try story.pass(1000) == [
                "retry.due a", "step.enqueued a", "attempt.started a/2 on 1", "retry.due b", "step.enqueued b",
                "attempt.started b/2 on 1",
            ])
    }

    @Test("A step that no worker serves keeps the task from being called blocked")
    func unservedIsNotBlocked() throws {
        var story = Story(steps("a") + steps("b", handler: "other"))
        _ = try story.submit()
        #expect(try story.fail("a", retryable: false).last == "step.failed a: not_retryable")
        #expect(story.state() == .inProgress)
    }

    @Test("It does not touch other tasks")
    func otherTasks() throws {
        var story = Story(steps("a"))
        _ = try story.submit("one")
        _ = try story.submit("two")
        _ = try story.fail("a", of: "one", retryable: false)
        #expect(story.state(of: "one") == .blockedByFailures)
        #expect(try story.succeed("a", of: "two").last == "two: task.completed")
    }

    @Test("The task is said to be blocked each time that it becomes so")
    func blockedTwice() throws {
        var story = Story(steps("a", retry: RetryPolicy(attemptsMax: 1)))
        _ = try story.submit()
        #expect(try story.fail("a").last == "task.blocked")
        _ = try story.retry()
        #expect(try story.fail("a").last == "task.blocked")
        #expect(story.effects == ["settled blocked_by_failures"])
    }

    @Test("With two failed steps, the task stays blocked when one of them is resolved and leads nowhere")
    func staysBlocked() throws {
        var story = Story(steps("a, b", retry: RetryPolicy(attemptsMax: 1)))
        _ = try story.submit()
        _ = try story.fail("a")
        _ = try story.fail("b")
        #expect(try story.resolve("a") == ["operator.resolved a", "step.resolved a"])
        #expect(story.state() == .blockedByFailures)
        #expect(try story.resolve("b").last == "task.completed")
    }
}
