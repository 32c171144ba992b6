import Foundation
import StepwellKernel
import StepwellLog
import StepwellModel
import Testing

@testable import StepwellEngine

@Suite("Coming back")
struct RecoveryTests {
    /// A task of many events that is still open: 200 steps of a chain are done, one runs.
    private func longTask(_ log: any EventLog) throws -> LoopBench {
        let bench = try LoopBench(log)
        try bench.turn([bench.submission(1, .chain(300), key: "k"), bench.joining()])
        for step in 0..<200 { try bench.turn([bench.end(bench.runner.assignments[step])]) }
        return bench
    }

    /// Folds all events of the open tasks, as if there were no snapshot.
    private func foldedFromEvents(_ log: any EventLog) throws -> StateContent {
        var state = State()
        for task in try log.openTasks() {
            state.adopt(Plan(try #require(try log.template(task.template)), digest: task.template))
            try log.events(of: task.id, after: .zero, payloads: .skipped) { try state.apply($0) }
        }
        state.stand(at: log.head.number, time: log.head.time, registered: .zero)
        return state.content
    }

    @Test("From a snapshot comes what comes from all events, at less cost")
    func snapshot() throws {
        let log = MemoryLog()
        _ = try longTask(log)
        let snapshot = try #require(try log.snapshot(of: .numbered(1)))
        let (state, eventsFolded) = try Recovery.fold(log)
        #expect(state.content == (try foldedFromEvents(log)))
        let task = try #require(state[.numbered(1)])
        #expect(eventsFolded < Int(task.eventCount) / 2)
        #expect(snapshot.number > task.first)
        #expect(task.steps.count { $0.state == .complete } == 200)
    }

    @Test(
        "A snapshot that is damaged or of another layout is ignored", arguments: ["cut", "flipped", "empty", "longer"])
    func damagedSnapshot(damage: String) throws {
        let log = MemoryLog()
        _ = try longTask(log)
        var snapshot = try #require(try log.snapshot(of: .numbered(1)))
        switch damage {
        case "cut": snapshot.bytes.removeLast(10)
        // The number of the layout.
        case "flipped": snapshot.bytes[1] ^= 0x02
        case "empty": snapshot.bytes = []
        default: snapshot.bytes.append(0)
        }
        var batch = LogBatch()
        batch.snapshots = [snapshot]
        try log.append(batch)
        let (state, eventsFolded) = try Recovery.fold(log)
        #expect(state.content == (try foldedFromEvents(log)))
        #expect(eventsFolded == Int(try #require(state[.numbered(1)]).eventCount))
    }

    @Test("A small task never gets a snapshot, and a closed one keeps none")
    func fewSnapshots() throws {
        let log = MemoryLog()
        let bench = try longTask(log)
        try bench.turn([bench.submission(2, .chain(2))])
        #expect(try log.snapshot(of: .numbered(2)) == nil)
        #expect(try log.snapshot(of: .numbered(1)) != nil)
        try bench.turn([bench.command(.cancelTask(.numbered(1), reason: nil), by: .operator)])
        #expect(try log.snapshot(of: .numbered(1)) == nil)
    }

    @Test("What ran is closed as lost and enqueued again, and the report counts it")
    func report() async throws {
        let log = MemoryLog()
        let bench = try LoopBench(log)
        try bench.turn((1...5).map { bench.submission($0, .chain(2)) } + [bench.joining(slots: 3)])
        try bench.turn([bench.end(bench.runner.assignments[0])])
        let events = try bench.events.count { $0.task != nil }
        let engine = try EngineCore(log: log)
        let report = try engine.start(.tests)
        await engine.stop()
        #expect(report.eventsFolded == events)
        #expect(report.tasksOpen == 5)
        #expect(report.attemptsClosed == 3)
        #expect(report.stepsEnqueued == 3)
        #expect(report.isNoteworthy)
        #expect(
            report.description.hasPrefix(
                "recovered: \(events) events folded, 5 tasks open, 3 attempts closed as lost, 3 steps enqueued again in "
            ))
        let lost = try bench.events.filter { if case .attemptLost(_, .engineDied) = $0.event { true } else { false } }
        #expect(lost.count == 3)
        let start = try bench.events.last { if case .engineStarted = $0.event { true } else { false } }
        #expect(lost.allSatisfy { $0.cause == start?.number })
    }

    @Test("A key that a newer task has taken over does not go back to the older one")
    func takenKey() throws {
        let log = MemoryLog()
        let bench = try LoopBench(log)
        try bench.turn([bench.submission(1, key: "k")])
        try bench.turn([bench.submission(2, key: "k", replacing: true)])
        try bench.turn([bench.command(.cancelTask(.numbered(2), reason: nil), by: .operator)])
        let live = try bench.refusal(bench.submission(3, key: "k"))
        #expect(live == .duplicateKey("k", .numbered(2)))
        let next = try LoopBench(log)
        #expect(try next.refusal(next.submission(3, key: "k")) == live)
    }

    @Test("Of two open tasks the newer has the key, whatever their ids say")
    func newerKey() throws {
        let log = MemoryLog()
        let bench = try LoopBench(log)
        try bench.turn([bench.submission(9, key: "k")])
        try bench.turn([bench.submission(2, key: "k", replacing: true)])
        let next = try LoopBench(log)
        #expect(try next.refusal(next.submission(3, key: "k")) == .duplicateKey("k", .numbered(2)))
    }

    @Test("Without the template of an open task nothing is done")
    func missingTemplate() throws {
        let log = MemoryLog()
        var (state, turn) = (State(), Turn(time: .zero))
        let template = Template.chain(1)
        let submission = Submission(
            template: template.digest, namespace: "tests", name: "chain", version: "1", correlationID: "c")
        try state.perform(
            .submitTask(.numbered(1), submission, template, known: nil, replacing: false), by: Actor(.client), in: &turn
        )
        state.end(&turn)
        var batch = LogBatch()
        (batch.events, batch.tasks) = (turn.records, turn.summaries)
        try log.append(batch)
        #expect(throws: LogError.self) { try Recovery.fold(log) }
    }

    @Test("A backlog of 1,000 tasks survives a stop, and all of it is done by the next engine")
    func backlog() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "stepwell-recovery-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        do {
            let bench = try LoopBench(LMDBLog(path: folder.path))
            for hundred in 0..<10 as Range<UInt64> {
                try bench.turn((1...100).map { bench.submission(hundred * 100 + $0) })
            }
            try bench.join(slots: 10)
            try bench.turn([.command(.stopEngine, by: .engine, answer: nil)])
        }
        let bench = try LoopBench(LMDBLog(path: folder.path))
        #expect(try bench.log.openTasks().count == 1000)
        try bench.join(slots: 300)
        var answered = 0
        while answered < bench.runner.assignments.count {
            let next = bench.runner.assignments[answered...]
            answered = bench.runner.assignments.count
            try bench.turn(next.map { bench.end($0) })
        }
        #expect(answered == 1000)
        #expect(Set(bench.runner.assignments.map(\.task)).count == 1000)
        #expect(try bench.log.openTasks().isEmpty)
        #expect(try bench.log.tasks(matching: TaskFilter(state: .complete), limit: 2000).count == 1000)
    }
}
