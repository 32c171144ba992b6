import StepwellKernel
import StepwellModel
import Testing

@Suite("A pause of a task")
struct PauseTests {
    private let twice = RetryPolicy(attemptsMax: 2, initialDelay: .seconds(1), jitter: false)

    @Test("Attempts at hand go on and their results are taken, and nothing else begins")
    func holds() throws {
        var story = Story(steps("a, b < a, c"), workers: [.offering("h", slots: 1)])
        _ = try story.submit()
        #expect(try story.pause() == ["operator.paused"])
        #expect(story.state() == .paused)
        #expect(story.effects.isEmpty)
        #expect(try story.succeed("a") == ["attempt.succeeded a/1", "step.completed a", "step.enqueued b"])
        #expect(story.state() == .paused)
        #expect(story.driver.state.wait(of: story[""], 1) == .pause)
        #expect(try story.resume() == ["operator.resumed", "attempt.started c/1 on 1"])
        #expect(story.state() == .inProgress)
    }

    @Test("Others go on meanwhile, and a step that goes on keeps its place in the queue")
    func others() throws {
        var story = Story(steps("a"), workers: [.offering("h", slots: 1)])
        for label in ["first", "second", "third"] { _ = try story.submit(label) }
        _ = try story.pause("second")
        #expect(try story.succeed("a", of: "first").last == "third: attempt.started a/1 on 1")
        _ = try story.submit("fourth")
        _ = try story.resume("second")
        #expect(try story.succeed("a", of: "third").last == "second: attempt.started a/1 on 1")
    }

    @Test("A retry that comes due waits for the end of the pause")
    func retries() throws {
        var story = Story(steps("a", retry: twice))
        _ = try story.submit()
        _ = try story.pause()
        #expect(try story.fail("a") == ["attempt.failed a/1", "retry.scheduled a in 1000 ms"])
        #expect(try story.pass(1000) == ["retry.due a", "step.enqueued a"])
        #expect(story.state() == .paused)
        #expect(try story.resume() == ["operator.resumed", "attempt.started a/2 on 1"])
    }

    @Test("What waits for a retry, and what is blocked, is so again after a pause")
    func verdicts() throws {
        var story = Story(steps("a", retry: twice))
        _ = try story.submit()
        _ = try story.fail("a")
        #expect(story.state() == .waitingForRetry)
        _ = try story.pause()
        #expect(try story.resume() == ["operator.resumed", "task.waiting"])
        _ = try story.pass(1000)
        _ = try story.pause()
        #expect(try story.fail("a") == ["attempt.failed a/2", "step.failed a: attempts_exhausted"])
        #expect(story.state() == .paused)
        #expect(try story.resume() == ["operator.resumed", "task.blocked"])
        #expect(story.effects == ["settled blocked_by_failures"])
        _ = try story.pause()
        #expect(story.state() == .paused)
        #expect(try story.retry() == ["operator.retried a", "step.reset a", "step.enqueued a"])
        #expect(try story.resume() == ["operator.resumed", "attempt.started a/1 on 1"])
    }

    @Test("A paused task whose last attempt completes everything is complete")
    func completes() throws {
        var story = Story(steps("a"))
        _ = try story.submit()
        _ = try story.pause()
        #expect(try story.succeed("a").last == "task.completed")
        #expect(story.effects == ["settled complete"])
        #expect(throws: Rejection.taskClosed(story[""], .complete)) { try story.resume() }
        #expect(throws: Rejection.taskClosed(story[""], .complete)) { try story.pause() }
    }

    @Test("A paused task may be cancelled, and its steps resolved")
    func changes() throws {
        var story = Story(steps("a, b < a"), workers: [])
        _ = try story.submit()
        _ = try story.pause()
        #expect(try story.resolve("a") == ["operator.resolved a", "step.resolved a", "step.enqueued b"])
        #expect(try story.cancel() == ["operator.cancelled", "task.cancelled"])
        #expect(try story.submit("next").last == "next: step.enqueued a")
        #expect(story.join(.offering("h")) == ["worker.joined 1", "next: attempt.started a/1 on 1"])
    }

    @Test("A second pause, and the end of one that there is not, are refused")
    func refused() throws {
        var story = Story(steps("a"))
        _ = try story.submit()
        #expect(throws: Rejection.notPaused(story[""], .inProgress)) { try story.resume() }
        _ = try story.pause()
        let before = story.driver.state.content
        #expect(throws: Rejection.taskPaused(story[""])) { try story.pause() }
        #expect(story.driver.state.content == before)
    }

    @Test("A pause outlives the engine, and what it lost waits")
    func restarts() throws {
        var story = Story(steps("a"))
        _ = try story.submit()
        _ = try story.pause()
        #expect(story.restart() == ["engine.started", "attempt.lost a/1: engine_died", "step.enqueued a"])
        #expect(story.join(.offering("h")) == ["worker.joined 1"])
        #expect(story.state() == .paused)
        #expect(try story.resume() == ["operator.resumed", "attempt.started a/1 on 1"])
    }
}
