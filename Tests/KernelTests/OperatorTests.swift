import StepwellKernel
import StepwellModel
import Testing

@Suite("What an operator may do")
struct OperatorTests {
    private let once = RetryPolicy(attemptsMax: 1)

    // MARK: Retry

    @Test("A retry takes up all steps that have failed, from their first attempt")
    func retryAll() throws {
        var story = Story(steps("a, b, c, d < c", retry: once))
        _ = try story.submit()
        _ = try story.fail("b")
        _ = try story.fail("a")
        _ = try story.succeed("c")
        _ = try story.succeed("d")
        #expect(story.state() == .blockedByFailures)
        #expect(
            try story.retry() == [
                "operator.retried a b", "step.reset a", "step.reset b", "step.enqueued a", "step.enqueued b",
                "attempt.started a/1 on 1", "attempt.started b/1 on 1",
            ])
        #expect(story.state() == .inProgress)
    }

    @Test("A retry may name steps, each once and in the template's order")
    func retrySome() throws {
        var story = Story(steps("a, b, c", retry: once))
        _ = try story.submit()
        for step in ["a", "b", "c"] { _ = try story.fail(step) }
        #expect(try story.retry("c", "a", "c")[0] == "operator.retried a c")
        #expect(story.state("b") == .error)
    }

    @Test("A retried step has all its attempts again")
    func freshAttempts() throws {
        var story = Story(steps("a", retry: RetryPolicy(attemptsMax: 2, backoff: .none)))
        _ = try story.submit()
        for round in 1...3 {
            #expect(try story.fail("a")[1] == "retry.scheduled a in 0 ms", "round \(round)")
            _ = try story.pass(0)
            #expect(try story.fail("a").last == "task.blocked")
            #expect(try story.retry().last == "attempt.started a/1 on 1")
        }
        #expect(try story.succeed("a").last == "task.completed")
    }

    @Test("A retry that cannot be made is refused with the reason, and changes nothing")
    func refusedRetries() throws {
        var story = Story(steps("a, b, c < b", retry: once))
        _ = try story.submit()
        #expect(throws: Rejection.nothingToRetry(story[""], .inProgress)) { try story.retry() }
        _ = try story.fail("a")
        let before = story.driver.state.content
        #expect(throws: Rejection.unknownStep(99)) { try story.retry("nowhere") }
        #expect(throws: Rejection.stepNotFailed("b", .inProgress)) { try story.retry("a", "b") }
        #expect(throws: Rejection.stepNotFailed("c", .pending)) { try story.retry("c") }
        #expect(story.driver.state.content == before)
    }

    // MARK: Resolve

    @Test("A step that is resolved with a result counts as complete, and the result is handed on")
    func resolveWithResult() throws {
        var story = Story(steps("a, b < a", retry: once))
        _ = try story.submit()
        _ = try story.fail("a")
        #expect(
            try story.resolve("a", result: .emptyObject) == [
                "operator.resolved a", "step.resolved a", "step.enqueued b", "attempt.started b/1 on 1",
            ])
        #expect(story.state("a") == .resolvedManually)
        let resolved = story.driver.log.first { if case .operatorResolved = $0.event { true } else { false } }
        #expect(story.delivery("b").dependencyResults == [resolved?.number])
        #expect(try story.succeed("b").last == "task.completed")
    }

    @Test("Resolved without a result it hands on nothing")
    func resolveWithoutResult() throws {
        var story = Story(steps("a, b < a", retry: once))
        _ = try story.submit()
        _ = try story.fail("a")
        _ = try story.resolve("a")
        #expect(story.delivery("b").dependencyResults == [.zero])
    }

    @Test("A step that has not begun may be resolved too, and then never runs")
    func resolvePending() throws {
        var story = Story(steps("a, b < a, c < b"))
        _ = try story.submit()
        #expect(
            try story.resolve("b") == [
                "operator.resolved b", "step.resolved b", "step.enqueued c", "attempt.started c/1 on 1",
            ])
        _ = try story.succeed("c")
        #expect(try story.succeed("a") == ["attempt.succeeded a/1", "step.completed a", "task.completed"])
    }

    @Test("A step that waits for a place may be resolved, and is not started when there is one")
    func resolveEnqueued() throws {
        var story = Story(steps("a, b"), workers: [.offering("h")])
        _ = try story.submit()
        #expect(try story.resolve("b") == ["operator.resolved b", "step.resolved b"])
        #expect(try story.succeed("a") == ["attempt.succeeded a/1", "step.completed a", "task.completed"])
    }

    @Test("A step that waits for a retry may be resolved, and is not tried again")
    func resolveWaiting() throws {
        var story = Story(steps("a"))
        _ = try story.submit()
        _ = try story.fail("a")
        #expect(try story.resolve("a").last == "task.completed")
        #expect(try story.pass(60_000) == [])
    }

    @Test("A step that runs or is complete cannot be resolved")
    func refusedResolves() throws {
        var story = Story(steps("a, b"))
        _ = try story.submit()
        #expect(throws: Rejection.stepNotResolvable("a", .inProgress)) { try story.resolve("a") }
        _ = try story.succeed("a")
        #expect(throws: Rejection.stepNotResolvable("a", .complete)) { try story.resolve("a") }
        #expect(throws: Rejection.unknownStep(99)) { try story.resolve("nowhere") }
    }

    // MARK: Cancel

    @Test("A cancelled task starts nothing more, and what runs is told to stop")
    func cancel() throws {
        var story = Story(steps("a, b < a, c"))
        _ = try story.submit()
        _ = try story.succeed("c")
        let lease = story.attempt("a").lease
        #expect(try story.cancel() == ["operator.cancelled", "task.cancelled"])
        #expect(story.effects == ["stop \(lease) on 1", "settled cancelled"])
        #expect(story.state() == .cancelled)
        #expect(story.driver.state.openTaskCount == 0)
    }

    @Test("The result of a cancelled attempt is rejected, once as cancelled and then as that of a closed task")
    func cancelledResult() throws {
        var story = Story(steps("a"))
        _ = try story.submit()
        let late = story.answer("a", .success)
        _ = try story.cancel()
        #expect(try story.turn([late]) == ["result.rejected a/1: cancelled"])
        #expect(try story.turn([late]) == ["result.rejected a/1: task_closed"])
        #expect(story.state() == .cancelled)
    }

    @Test("The place of a cancelled attempt is free again when it has stopped")
    func placeAfterCancel() throws {
        var story = Story(steps("a"), workers: [.offering("h")])
        _ = try story.submit()
        _ = try story.submit("next")
        #expect(try story.cancel() == ["operator.cancelled", "task.cancelled"])
        #expect(try story.stop("a") == ["attempt.stopped a/1", "next: attempt.started a/1 on 1"])
    }

    @Test("A timer of a cancelled task comes to nothing")
    func timersAfterCancel() throws {
        var story = Story(steps("a, b", timeout: .seconds(60)))
        _ = try story.submit()
        _ = try story.fail("a")
        _ = try story.cancel()
        #expect(try story.pass(100_000) == [])
    }

    // MARK: Closed and unknown tasks

    @Test("To a closed task nothing more can be done")
    func closedTask() throws {
        var story = Story(steps("a"))
        _ = try story.submit()
        _ = try story.succeed("a")
        let closed = Rejection.taskClosed(story[""], .complete)
        #expect(throws: closed) { try story.cancel() }
        #expect(throws: closed) { try story.retry() }
        #expect(throws: closed) { try story.resolve("a") }
    }

    @Test("Of a task that nobody has submitted nothing is known")
    func unknownTask() throws {
        var story = Story(steps("a"))
        let id = TaskID(high: 1, low: 1)
        for command in [
            Command.cancelTask(id, reason: nil), .retryTask(id, steps: [], reason: nil),
            .resolveStep(id, 0, result: nil, reason: nil),
        ] {
            #expect(throws: Rejection.unknownTask(id)) { try story.turn([.init(command, by: .operator)]) }
        }
    }

    @Test("Of two operators in one turn the second meets what the first has left")
    func sameTurn() throws {
        var story = Story(steps("a"))
        _ = try story.submit()
        let cancel = Request(.cancelTask(story[""], reason: nil), by: .operator)
        #expect(throws: Rejection.taskClosed(story[""], .cancelled)) { try story.turn([cancel, cancel]) }
        #expect(story.state() == .cancelled)
    }
}
