import StepwellModel
import Testing

@Suite("An attempt that is lost with what ran it")
struct LossTests {
    private func story(
        _ retry: RetryPolicy = RetryPolicy(), kind: WorkerJoin.Kind = .process
    ) throws -> Story {
        var story = Story(steps("a", retry: retry), workers: [.offering("h", kind: kind)])
        _ = try story.submit()
        return story
    }

    @Test("When its worker dies it starts again elsewhere, with the same number and another lease")
    func workerDied() throws {
        var story = try story()
        let first = story.attempt("a")
        #expect(story.lose(1) == ["worker.left 1", "attempt.lost a/1: worker_died", "step.enqueued a"])
        #expect(story.join(.offering("h", id: 2)) == ["worker.joined 2", "attempt.started a/1 on 2"])
        #expect(story.attempt("a").lease > first.lease)
    }

    @Test("When the engine dies it starts again with the next one")
    func engineDied() throws {
        var story = try story()
        #expect(story.restart() == ["engine.started", "attempt.lost a/1: engine_died", "step.enqueued a"])
        #expect(story.join(.offering("h")) == ["worker.joined 1", "attempt.started a/1 on 1"])
        #expect(try story.succeed("a").last == "task.completed")
    }

    @Test("When the engine is stopped, what its workers held is lost with it and not begun again before the next start")
    func engineStopped() throws {
        var story = try story()
        #expect(story.stopEngine() == ["engine.stopped"])
        #expect(story.lose(1) == ["worker.left 1", "attempt.lost a/1: engine_stopped", "step.enqueued a"])
        #expect(story.join(.offering("h", id: 2)) == ["worker.joined 2"])
        #expect(story.restart() == ["engine.started"])
        #expect(story.join(.offering("h")).last == "attempt.started a/1 on 1")
    }

    @Test("While the engine drains, what runs may end and nothing else begins")
    func draining() throws {
        var story = Story(steps("a, b < a"))
        _ = try story.submit()
        #expect(try story.turn([.init(.drainEngine, by: .engine)]) == ["engine.draining"])
        #expect(
            try story.succeed("a") == ["attempt.succeeded a/1", "step.completed a", "step.enqueued b"])
        #expect(story.restart() == ["engine.started"])
        #expect(story.join(.offering("h")).last == "attempt.started b/1 on 1")
    }

    @Test("What a runner gives back on the engine's stop is lost, not failed")
    func givenBack() throws {
        var story = try story()
        _ = try story.turn([.init(.drainEngine, by: .engine)])
        #expect(try story.stop("a") == ["attempt.lost a/1: engine_stopped", "step.enqueued a"])
    }

    @Test("Losses use up none of the step's attempts")
    func lossesAreNoFailures() throws {
        var story = try story(RetryPolicy(attemptsMax: 2, backoff: .none))
        for worker in 1...5 as ClosedRange<UInt32> {
            _ = story.lose(worker)
            #expect(story.join(.offering("h", id: worker + 1)).last == "attempt.started a/1 on \(worker + 1)")
        }
        #expect(try story.fail("a").last == "attempt.started a/2 on 6")
        _ = story.lose(6)
        #expect(story.join(.offering("h", id: 7)).last == "attempt.started a/2 on 7")
        #expect(try story.fail("a")[1] == "step.failed a: attempts_exhausted")
    }

    @Test("A step that takes its tenth worker with it stops")
    func bound() throws {
        var story = try story()
        for worker in 1...9 as ClosedRange<UInt32> {
            #expect(story.lose(worker).last == "step.enqueued a")
            _ = story.join(.offering("h", id: worker + 1))
        }
        #expect(
            story.lose(10) == [
                "worker.left 10", "attempt.lost a/1: worker_died", "step.failed a: losses_exhausted", "task.blocked",
            ])
        #expect(story.state("a") == .error)
    }

    @Test("An operator's retry begins with a fresh count of losses")
    func retryResetsLosses() throws {
        var story = try story(RetryPolicy(lossesMax: 2))
        _ = story.lose(1)
        _ = story.join(.offering("h", id: 2))
        #expect(story.lose(2)[2] == "step.failed a: losses_exhausted")
        _ = try story.retry()
        _ = story.join(.offering("h", id: 3))
        #expect(story.lose(3).last == "step.enqueued a")
    }

    @Test("The engine's death counts against a handler of its own process, which may have caused it")
    func inProcessDeaths() throws {
        var story = try story(RetryPolicy(lossesMax: 2), kind: .inProcess)
        #expect(story.restart().last == "step.enqueued a")
        _ = story.join(.offering("h", kind: .inProcess))
        #expect(
            story.restart() == [
                "engine.started", "attempt.lost a/1: engine_died", "step.failed a: losses_exhausted", "task.blocked",
            ])
    }

    @Test(
        "The engine's death is not the fault of another process or a command",
        arguments: [WorkerJoin.Kind.process, .command])
    func otherDeaths(kind: WorkerJoin.Kind) throws {
        var step = steps("a", retry: RetryPolicy(lossesMax: 1))
        if kind == .command { step[0].handler = .command(["true"]) }
        var story = Story(step, workers: [.offering("h", kind: kind)])
        _ = try story.submit()
        for _ in 0..<20 {
            #expect(story.restart().last == "step.enqueued a")
            #expect(story.join(.offering("h", kind: kind)).last == "attempt.started a/1 on 1")
        }
    }

    @Test("The result of an attempt that was lost is rejected; the one that runs instead has its say")
    func lateResult() throws {
        var story = try story()
        let late = story.answer("a", .success)
        _ = story.restart()
        #expect(try story.turn([late]) == ["result.rejected a/1: lost"])
        _ = story.join(.offering("h"))
        #expect(try story.turn([late]) == ["result.rejected a/1: lost"])
        #expect(try story.succeed("a").last == "task.completed")
        #expect(try story.turn([late]) == ["result.rejected a/1: task_closed"])
    }

    @Test("A second result of the same attempt is rejected as a duplicate")
    func duplicate() throws {
        var story = Story(steps("a, b < a"))
        _ = try story.submit()
        let again = story.answer("a", .failure())
        _ = try story.succeed("a")
        #expect(try story.turn([again]) == ["result.rejected a/1: duplicate"])
        #expect(story.state("a") == .complete)
    }

    @Test("A checkpoint of a lost attempt is refused")
    func lateCheckpoint() throws {
        var story = try story()
        _ = story.lose(1)
        let lease = story.attempt("a").lease
        #expect(throws: Rejection.unknownLease(lease)) { try story.checkpoint("a") }
    }
}
