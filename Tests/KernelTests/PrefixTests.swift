import StepwellKernel
import StepwellModel
import Testing

@Suite("An engine that ends anywhere")
struct PrefixTests {
    /// The pipeline with a failure, a retry that ran too long, a death, a late result and a checkpoint.
    private func troubledPipeline() throws -> History {
        var story = Story(steps("a, b, c < a, d < b c", timeout: .seconds(60)))
        _ = try story.submit()
        _ = try story.submit("second", steps: steps("x, y < x"))
        _ = try story.fail("a")
        _ = try story.succeed("x", of: "second")
        _ = try story.pass(1000)
        _ = try story.checkpoint("b")
        _ = try story.succeed("a")
        let late = story.answer("b", .success)
        _ = story.lose(1)
        _ = try story.turn([late])
        _ = story.join(.offering("h", id: 2, slots: 2))
        _ = try story.pass(60_000)
        _ = try story.pass(1000)
        _ = story.restart()
        _ = story.join(.offering("h", slots: 9))
        for step in ["b", "c", "d"] {
            _ = try story.pass(1000)
            _ = try story.succeed(step)
        }
        _ = try story.succeed("y", of: "second")
        return story.driver.history
    }

    @Test("After every event of a troubled pipeline, the next engine comes to the same end")
    func pipeline() throws {
        let history = try troubledPipeline()
        #expect(history.records.count > 50)
        try recoverEverywhere(history) { ending in
            #expect(ending.openTasks.isEmpty, "after event \(ending.prefix)")
        }
    }

    @Test(
        "After every event of a random life, the next engine ends what can be ended",
        arguments: 100..<112 as Range<UInt64>)
    func randomLife(seed: UInt64) throws {
        var world = World(seed: seed, stepsMax: 3 + Int(seed % 8))
        for _ in 0..<60 { world.step() }
        world.finish()
        #expect(world.driver.log.count > 50)
        try recoverEverywhere(world.driver.history) { ending in
            let unfinished = ending.openTasks.filter { $0.state != .blockedByFailures }
            #expect(unfinished.isEmpty, "after event \(ending.prefix)")
        }
    }

    private struct Ending {
        /// How many events were folded.
        let prefix: Int
        let openTasks: [TaskRecord]
    }

    /// Folds event by event. Wherever a commit may have ended, a copy of the state starts anew and brings all to an end.
    private func recoverEverywhere(_ history: History, _ check: (Ending) -> Void) throws {
        var state = try history.prefix(0).folded()
        for (digest, template) in history.templates { state.adopt(Plan(template, digest: digest)) }
        var results: [Step: Int] = [:]
        let records = Array(history.records)
        for (place, record) in records.enumerated() {
            try state.apply(record)
            count(record, &results)
            // What follows from a fact stands in the same commit as the fact.
            guard place + 1 == records.count || !records[place + 1].isDecision else { continue }
            var (rest, ended) = (results, Driver())
            ended.state = state
            ended.now = state.time
            finish(&ended) { count($0, &rest) }
            #expect(rest.values.allSatisfy { $0 == 1 }, "a step has two results after event \(place + 1)")
            check(Ending(prefix: place + 1, openTasks: ended.state.openTasks))
        }
    }

    private struct Step: Hashable {
        let task: TaskID?
        let step: StepIndex
    }

    private func count(_ record: EventRecord, _ results: inout [Step: Int]) {
        switch record.event {
        case .stepCompleted(let step), .stepResolved(let step):
            results[Step(task: record.task, step: step), default: 0] += 1
        default: break
        }
    }

    /// A new engine, with workers for everything that succeed in everything.
    private func finish(_ driver: inout Driver, _ read: (EventRecord) -> Void) {
        let handlers = ["h", "load", "clean", "sum"].map { HandlerVersion(name: $0, version: "1") }
        let joins = [WorkerJoin.Kind.process, .command].enumerated().map { place, kind in
            Request(
                .joinWorker(
                    WorkerJoin(
                        worker: WorkerID(UInt32(place + 1)), name: "able", kind: kind, handlers: handlers, slots: 500)),
                by: .engine)
        }
        let resumptions = driver.state.openTasks.filter { $0.state == .paused }
            .map { Request(.resumeTask($0.id, reason: nil), by: .operator) }
        let removals = driver.state.limits(at: driver.now).filter { $0.setting.concurrencyMax == 0 }
            .map { Request(.removeLimit($0.setting.target, reason: nil), by: .operator) }
        var answer = driver.turn([History.restart] + joins + resumptions + removals)
        for _ in 0..<1000 {
            answer.records.forEach(read)
            let ends = answer.effects.compactMap { effect -> Request? in
                guard case .deliver(let delivery) = effect else { return nil }
                return Request(
                    .finishAttempt(delivery.task, delivery.attempt, .succeeded(.emptyObject, metadata: nil)),
                    by: .worker)
            }
            if ends.isEmpty {
                guard let due = driver.state.nextDue() else { return }
                driver.now = max(driver.now, due)
            }
            answer = driver.turn(ends)
        }
        Issue.record("it never ends")
    }
}
