import StepwellModel
import Testing

@Suite("A step whose attempt fails")
struct RetryTests {
    private func story(_ retry: RetryPolicy) throws -> Story {
        var story = Story(steps("a, b < a", retry: retry))
        _ = try story.submit()
        return story
    }

    @Test("It waits, and is tried again when its time has come, not earlier")
    func retried() throws {
        var story = try story(RetryPolicy(initialDelay: .seconds(2)))
        #expect(
            try story.fail("a") == ["attempt.failed a/1", "retry.scheduled a in 2000 ms", "task.waiting"])
        #expect(story.state("a") == .waitingForRetry)
        #expect(story.state() == .waitingForRetry)
        #expect(try story.pass(1999) == [])
        #expect(try story.pass(1) == ["retry.due a", "step.enqueued a", "attempt.started a/2 on 1"])
        #expect(story.state() == .inProgress)
        #expect(try story.fail("a") == ["attempt.failed a/2", "retry.scheduled a in 4000 ms", "task.waiting"])
        _ = try story.pass(4000)
        #expect(try story.succeed("a").last == "attempt.started b/1 on 1")
    }

    @Test("By default the third failure is the last")
    func threeAttempts() throws {
        var story = try story(RetryPolicy(backoff: .none))
        for attempt in 1...2 {
            let lines = try story.fail("a")
            #expect(lines[1] == "retry.scheduled a in 0 ms")
            // What is due at once comes in the same commit.
            #expect(lines.last == "attempt.started a/\(attempt + 1) on 1")
        }
        #expect(
            try story.fail("a") == ["attempt.failed a/3", "step.failed a: attempts_exhausted", "task.blocked"])
        #expect(story.state("a") == .error)
        #expect(story.state("b") == .pending)
        #expect(story.effects == ["settled blocked_by_failures"])
        #expect(try story.pass(1_000_000) == [])
    }

    @Test("A maximum of no attempts means one, like one", arguments: [0, 1, -3])
    func oneAttempt(attemptsMax: Int) throws {
        var story = try story(RetryPolicy(attemptsMax: attemptsMax))
        #expect(
            try story.fail("a") == ["attempt.failed a/1", "step.failed a: attempts_exhausted", "task.blocked"])
    }

    @Test("A failure that the handler calls permanent is final, however many attempts are left")
    func permanentByHandler() throws {
        var story = try story(RetryPolicy(attemptsMax: 9))
        #expect(
            try story.fail("a", retryable: false) == [
                "attempt.failed a/1", "step.failed a: not_retryable", "task.blocked",
            ])
    }

    @Test("A step that its template calls not retryable fails with its first attempt")
    func permanentByTemplate() throws {
        var story = try story(RetryPolicy(retryable: false, attemptsMax: 9))
        #expect(
            try story.fail("a", retryable: true, retryAfter: .seconds(1)) == [
                "attempt.failed a/1", "step.failed a: not_retryable", "task.blocked",
            ])
    }

    @Test("The wait that a handler asks for wins over the policy's, and is capped at the policy's maximum")
    func retryAfter() throws {
        var story = try story(RetryPolicy(attemptsMax: 4, initialDelay: .seconds(7), maximumDelay: .seconds(20)))
        #expect(try story.fail("a", retryAfter: Milliseconds(150))[1] == "retry.scheduled a in 150 ms")
        _ = try story.pass(150)
        #expect(try story.fail("a", retryAfter: .seconds(3600))[1] == "retry.scheduled a in 20000 ms")
        _ = try story.pass(20_000)
        // The policy's own wait goes on as if it had been asked all the time.
        #expect(try story.fail("a")[1] == "retry.scheduled a in 20000 ms")
    }

    @Test("A retry that is long overdue is made once")
    func overdue() throws {
        var story = try story(RetryPolicy())
        _ = try story.fail("a")
        #expect(try story.pass(900_000) == ["retry.due a", "step.enqueued a", "attempt.started a/2 on 1"])
    }

    @Test("The waiting time survives the death of the engine")
    func acrossRestart() throws {
        var story = try story(RetryPolicy(initialDelay: .seconds(5)))
        _ = try story.fail("a")
        _ = try story.pass(4000)
        #expect(story.restart() == ["engine.started"])
        _ = story.join(.offering("h", slots: 9))
        #expect(try story.pass(999) == [])
        #expect(try story.pass(1).last == "attempt.started a/2 on 1")
    }

    @Test("A retry that comes due while no worker is free takes its turn by the time at which it came due")
    func queued() throws {
        var story = Story(steps("a, b"), workers: [.offering("h")])
        _ = try story.submit()
        #expect(try story.fail("a").last == "attempt.started b/1 on 1")
        #expect(try story.pass(1000) == ["retry.due a", "step.enqueued a"])
        #expect(try story.succeed("b").last == "attempt.started a/2 on 1")
    }
}
