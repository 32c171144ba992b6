import StepwellKernel
import StepwellModel
import Testing

@Suite("An attempt that takes too long")
struct TimeoutTests {
    private func story(slots: Int = 100, attemptsMax: Int = 3) throws -> Story {
        var story = Story(
            steps("a", retry: RetryPolicy(attemptsMax: attemptsMax), timeout: .seconds(10)),
            workers: [.offering("h", slots: slots)])
        _ = try story.submit()
        return story
    }

    @Test("It is given its deadline, and ended when that has passed, not earlier")
    func deadline() throws {
        var story = try story()
        let delivery = story.delivery("a")
        #expect(delivery.deadline == story.driver.now.advanced(by: .seconds(10)))
        #expect(try story.pass(9999) == [])
        #expect(
            try story.pass(1) == ["attempt.timed_out a/1", "retry.scheduled a in 1000 ms", "task.waiting"])
        #expect(story.effects == ["stop \(delivery.attempt.lease) on 1: timed out"])
        #expect(try story.pass(1000).last == "attempt.started a/2 on 1")
    }

    @Test("A step without a timeout may take as long as it likes")
    func noDeadline() throws {
        var story = Story(steps("a"))
        _ = try story.submit()
        #expect(story.delivery("a").deadline == nil)
        #expect(try story.pass(1_000_000_000) == [])
    }

    @Test("It counts as an attempt: the last one that times out fails the step")
    func exhausted() throws {
        var story = try story(attemptsMax: 1)
        #expect(
            try story.pass(10_000) == [
                "attempt.timed_out a/1", "step.failed a: attempts_exhausted", "task.blocked",
            ])
    }

    @Test("Its result, come too late, is rejected and changes nothing")
    func lateResult() throws {
        var story = try story()
        let late = story.answer("a", .success)
        _ = try story.pass(10_000)
        _ = try story.pass(1000)
        #expect(try story.turn([late]) == ["result.rejected a/1: timed_out"])
        #expect(story.effects == ["reject \(story.driver.log.first { $0.isStart }!.number) on 1: timed_out"])
        #expect(story.state("a") == .inProgress)
        #expect(try story.succeed("a").last == "task.completed")
    }

    @Test("A late failure is rejected as well")
    func lateFailure() throws {
        var story = try story()
        let late = story.answer("a", .failure(retryable: false))
        _ = try story.pass(10_000)
        #expect(try story.turn([late]) == ["result.rejected a/1: timed_out"])
        #expect(story.state("a") == .waitingForRetry)
    }

    @Test("Its worker has the place free again only when it has really ended")
    func placeIsKept() throws {
        var story = try story(slots: 1)
        let stopped = story.answer("a", .stopped)
        _ = try story.pass(10_000)
        #expect(try story.pass(1000) == ["retry.due a", "step.enqueued a"])
        #expect(try story.turn([stopped]) == ["attempt.stopped a/1", "attempt.started a/2 on 1"])
    }

    @Test("A result frees the place just as well, though it is rejected")
    func placeIsFreedByResult() throws {
        var story = try story(slots: 1)
        let late = story.answer("a", .success)
        _ = try story.pass(11_000)
        _ = try story.pass(1000)
        #expect(try story.turn([late]) == ["result.rejected a/1: timed_out", "attempt.started a/2 on 1"])
    }

    @Test("When its worker dies before it has ended, nothing is lost a second time")
    func workerDies() throws {
        var story = try story(slots: 1)
        _ = try story.pass(10_000)
        #expect(story.lose(1) == ["worker.left 1"])
        _ = story.join(.offering("h", id: 2))
        #expect(try story.pass(1000).last == "attempt.started a/2 on 2")
    }

    @Test("A deadline survives the death of the engine only with its attempt, which is lost")
    func acrossRestart() throws {
        var story = try story()
        _ = try story.pass(9000)
        #expect(story.restart() == ["engine.started", "attempt.lost a/1: engine_died", "step.enqueued a"])
        #expect(try story.pass(5000) == [])
        #expect(story.join(.offering("h")).last == "attempt.started a/1 on 1")
        #expect(story.delivery("a").deadline == story.driver.now.advanced(by: .seconds(10)))
    }
}

extension EventRecord {
    fileprivate var isStart: Bool {
        if case .attemptStarted = event { true } else { false }
    }
}
