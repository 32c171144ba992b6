import Foundation
import StepwellEngine
import StepwellHistory
import StepwellKernel
import StepwellLog
import StepwellModel
import Testing

@Suite("A store made of the beginning of another one's log")
struct StoreCopyTests {
    private func tasks(_ store: some StoreQueries) throws -> [TaskSummary] {
        try store.tasks(matching: TaskFilter(), limit: 10_000)
    }

    private func lines(_ store: some StoreQueries, _ tasks: [TaskID]) throws -> [LogLine] {
        var found: [LogLine] = []
        for task in tasks {
            try store.logLines(of: task, after: nil) { line in
                found.append(line)
                return true
            }
        }
        return found
    }

    @Test("A whole copy is what the store is, but for its id", arguments: [1, 2, 3] as [UInt64])
    func whole(seed: UInt64) throws {
        let night = try WrittenStore()
        try night.live(turns: 120, seed: seed)
        let path = night.sibling("copy")
        let head = try StoreCopy.build(
            NewStore(at: path), from: night.log, through: night.log.head.number, cutsLogLines: false)
        #expect(head == night.log.head)
        // An engine could open it.
        let copy = try LMDBLog(path: path)
        #expect(try everything(copy) == everything(night.log))
        #expect(try tasks(copy) == tasks(night.log))
        #expect(try copy.openTasks() == night.log.openTasks())
        #expect(try lines(copy, night.tasks) == lines(night.log, night.tasks))
        for template in [WrittenStore.diamond, WrittenStore.single] {
            #expect(try copy.template(template.digest) == night.log.template(template.digest))
            for key in 0..<4 {
                let (space, name) = (template.namespace, template.name)
                #expect(
                    try copy.task(namespace: space, name: name, key: "key-\(key)")
                        == night.log.task(namespace: space, name: name, key: "key-\(key)"))
            }
        }
        #expect(try copy.storeID() != night.log.storeID())
        #expect(
            try copy.origin()
                == StoreOrigin(kind: .copied, storeID: night.log.storeID(), head: head.number, hash: head.hash))
        #expect(try night.log.origin() == nil)
        _ = try Verification.run(copy)
        #expect(try Recovery.fold(copy).state.content == Recovery.fold(night.log).state.content)
    }

    @Test("It can be cut after any event, and is a sound store each time")
    func everyCut() throws {
        let night = try WrittenStore()
        try night.live(turns: 40, seed: 7)
        let events = try everything(night.log)
        for last in 0...events.count {
            let path = night.sibling("cut-\(last)")
            let number = SequenceNumber(UInt64(last))
            let head = try StoreCopy.build(NewStore(at: path), from: night.log, through: number, cutsLogLines: true)
            // With what was decided because of the same fact.
            let taken = Int(head.number.rawValue)
            #expect(taken >= last && events[last..<taken].allSatisfy { $0.isDecision })
            #expect(taken == events.count || last == 0 || !events[taken].isDecision)
            let copy = try LMDBReader(path: path)
            #expect(try everything(copy) == Array(events.prefix(taken)))
            _ = try Verification.run(copy)
            let time = events.prefix(taken).last?.time ?? .zero
            let kept = try lines(night.log, night.tasks).filter { $0.lease <= head.number && $0.time <= time }
            #expect(try lines(copy, night.tasks) == kept)
        }
        #expect(try everything(night.log) == events)
    }

    @Test("A cut store goes on: what ran is lost, and the rest is as it was")
    func goesOn() throws {
        let night = try WrittenStore()
        try night.submit(
            WrittenStore.diamond, key: "k", input: #"{"big": "\#(String(repeating: "x", count: 100_000))"}"#)
        let running = night.log.head.number
        try night.succeedAll()
        #expect(try night.log.openTasks().isEmpty)
        let path = night.sibling("copy")
        _ = try StoreCopy.build(NewStore(at: path), from: night.log, through: running, cutsLogLines: true)
        var (state, _) = try Recovery.fold(LMDBLog(path: path))
        #expect(state.runningAttemptCount == 1)
        var turn = Turn(time: WrittenStore.begin)
        try state.perform(
            .startEngine(EngineStart(version: "1", processID: 9, host: "here")), by: .init(.engine), in: &turn)
        #expect(turn.records.map(\.event.type.name) == ["engine.started", "attempt.lost", "step.enqueued"])
    }

    @Test("The last event of a time is found")
    func times() throws {
        let night = try WrittenStore()
        #expect(try night.log.lastEvent(notAfter: WrittenStore.begin.advanced(by: Milliseconds(-1))) == .zero)
        let first = night.log.head.number
        night.pass(1000)
        try night.submit(WrittenStore.single)
        #expect(try night.log.lastEvent(notAfter: WrittenStore.begin) == first)
        #expect(try night.log.lastEvent(notAfter: WrittenStore.begin.advanced(by: Milliseconds(999))) == first)
        #expect(
            try night.log.lastEvent(notAfter: WrittenStore.begin.advanced(by: Milliseconds(1000)))
                == night.log.head.number)
        #expect(try night.log.lastEvent(notAfter: .never) == night.log.head.number)
    }

    @Test("A log that does not fold gives no store")
    func unsound() throws {
        let night = try WrittenStore()
        let task = try night.submit(WrittenStore.single)
        var batch = LogBatch()
        let head = night.log.head
        batch.events = [
            EventRecord(
                number: head.number.next, task: task, taskNumber: 9, previous: head.number, time: head.time,
                actor: .scheduler, cause: .zero, event: .stepCompleted(7))
        ]
        batch.tasks = try [#require(try night.log.task(task))]
        try night.log.append(batch)
        let path = night.sibling("copy")
        #expect(throws: FoldError.self) {
            try StoreCopy.build(
                NewStore(at: path), from: night.log, through: night.log.head.number, cutsLogLines: true)
        }
        #expect(!FileManager.default.fileExists(atPath: path))
        _ = try StoreCopy.build(NewStore(at: path), from: night.log, through: head.number, cutsLogLines: true)
    }
}

@Suite("The sound beginning of a damaged log")
struct SalvageTests {
    private func salvage(
        _ night: WrittenStore, from damaged: String? = nil
    ) throws -> (LMDBReader, fault: (any StepwellError)?) {
        let damaged = try LMDBReader(path: damaged ?? night.path)
        let (report, fault) = try Verification.soundPrefix(damaged)
        let path = night.sibling("copy")
        _ = try StoreCopy.build(
            NewStore(at: path), from: damaged, through: report.last, cutsLogLines: false, isSalvage: true)
        return (try LMDBReader(path: path), fault)
    }

    @Test("A sound log gives the same again, with late results of closed tasks")
    func sound() throws {
        let night = try WrittenStore()
        try night.live(turns: 120, seed: 11)
        let (copy, fault) = try salvage(night)
        #expect(fault == nil)
        #expect(try everything(copy) == everything(night.log))
        _ = try Verification.run(copy)
    }

    @Test("What is derived is built anew from sound events")
    func indexes() throws {
        let night = try WrittenStore()
        try night.live(turns: 60, seed: 12)
        let open = try night.log.openTasks()
        // A summary that is wrong.
        var batch = LogBatch()
        batch.tasks = open.prefix(1).map { task in
            var task = task
            task.stepsDone = 77
            return task
        }
        try night.log.append(batch)
        #expect(throws: LogError.self) { try Verification.run(night.log) }
        let (copy, fault) = try salvage(night)
        #expect(fault == nil)
        #expect(try copy.openTasks() == open)
        _ = try Verification.run(copy)
    }

    @Test("All before the commit with the first fault is there, whichever event it is")
    func everyEvent() throws {
        for victim in stride(from: 2, through: 90, by: 11) {
            let night = try WrittenStore()
            try night.live(turns: 40, seed: 13)
            let events = try everything(night.log)
            let record = events[victim - 1]
            // One bit of the event is another, in a copy that LMDB does not have open.
            let scratch = ScratchStore()
            _ = try NewStore(at: scratch.path).copy(night.log)
            var bytes = try scratch.rows("events")[victim - 1].value
            bytes[bytes.count / 2] ^= 4
            try scratch.put("events", scratch.key(record.number), bytes)
            let (copy, fault) = try salvage(night, from: scratch.path)
            #expect(fault?.code == "store_corrupt")
            let kept = try everything(copy)
            #expect(kept.count < victim && kept == Array(events.prefix(kept.count)))
            // Nothing but the victim's own commit is lost.
            let commit = try night.log.view { view in try view.commit(holding: record.number) }
            #expect(commit?.first.rawValue == UInt64(kept.count) + 1)
            _ = try Verification.run(copy)
        }
    }
}
