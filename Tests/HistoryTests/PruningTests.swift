import Foundation
import StepwellEngine
import StepwellHistory
import StepwellKernel
import StepwellLog
import StepwellModel
import Testing

@Suite("Finished tasks leave the store")
struct PruningTests {
    private func pruning(before: Timestamp = .never) -> Pruning {
        Pruning(
            before: before, reason: "alt \u{1F9F9}", actor: Actor(.operator, id: "ann"), version: "1",
            now: { WrittenStore.begin })
    }

    @Test("It may be killed before and after every commit, and goes on from there", arguments: [true, false])
    func killed(beforeCommit: Bool) async throws {
        let night = try WrittenStore()
        for number in 0..<4 { try night.submit(WrittenStore.single, key: "\(number)") }
        try night.succeedAll()
        night.log.endWriting()
        let (path, archive) = (night.path, night.sibling("archive"))
        #expect(FileManager.default.createFile(atPath: archive, contents: nil))
        let events = try everything(night.log)
        for round in 1...4 {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = path as String, archive = archive as String, beforeCommit = beforeCommit as Bool] in
                let file = try #require(FileHandle(forWritingAtPath: archive))
                let pruning = Pruning(
                    before: .never, reason: nil, actor: Actor(.operator), version: "1", tasksMax: 1,
                    now: { WrittenStore.begin })
                var steps = 0
                _ = try pruning.run(
                    StoreEditor(path: path),
                    archive: { text in
                        steps += 1
                        if beforeCommit, steps == 2 { kill(getpid(), SIGKILL) }
                        try file.seekToEnd()
                        try file.write(contentsOf: text)
                    },
                    progress: { _, _ in if !beforeCommit || steps == 2 { kill(getpid(), SIGKILL) } })
                // The last step has none after it.
                kill(getpid(), SIGKILL)
            }
            let left = try tasks(night.log)
            #expect(left.count == 4 - round)
            #expect(try Verification.run(night.log).tasks == left.count)
            #expect(
                try everything(night.log).filter { $0.number <= events[events.count - 1].number && $0.task != nil }
                    == events.filter { event in left.contains { $0.id == event.task } })
        }
        let text = try Data(contentsOf: URL(fileURLWithPath: archive))
        let outcomes = try BundleImport(Array(text)).add(to: StoreEditor(path: path), path: path)
        #expect(outcomes.map(\.wasThere) == [false, false, false, false])
        #expect(try everything(night.log).prefix(events.count) == events[...])
    }

    private func tasks(_ store: some StoreQueries) throws -> [TaskSummary] {
        try store.tasks(matching: TaskFilter(), limit: 10_000)
    }

    @Test(
        "What is finished goes with all that is its own; the rest is as it was, and everything is sound",
        arguments: [1, 2, 3] as [UInt64])
    func everyNight(seed: UInt64) throws {
        let night = try WrittenStore()
        try night.live(turns: 120, seed: seed)
        let (before, events) = (try tasks(night.log), try everything(night.log))
        let open = try night.log.openTasks()
        let state = try Recovery.fold(night.log).state.content
        let last = night.log.head
        night.log.endWriting()
        var archived: [UInt8] = []
        let report = try pruning().run(StoreEditor(path: night.path)) { archived += $0 }

        let left = try tasks(night.log)
        let gone = Set(before.map(\.id)).subtracting(left.map(\.id))
        #expect(report.tasks == gone.count && gone.count > 5)
        #expect(left.filter { !gone.contains($0.id) } == left && Set(open.map(\.id)).isSubset(of: left.map(\.id)))
        #expect(try night.log.openTasks() == open)
        let kept = try everything(night.log)
        #expect(kept.dropLast() == events.filter { $0.task.map { !gone.contains($0) } ?? true })
        #expect(report.events == events.count - kept.count + 1)
        let told = try #require(kept.last)
        #expect(told.actor == Actor(.operator, id: "ann") && told.number == last.number.next && told.time == last.time)
        #expect(
            told.event
                == .storePruned(
                    StorePruning(
                        taskCount: report.tasks, eventCount: report.events, before: .never, reason: "alt \u{1F9F9}")))
        let verified = try Verification.run(night.log)
        #expect(Int(verified.absent) == report.events && verified.unproven == 0)
        #expect(verified.head.number == told.number)
        // What was noted before is still found.
        #expect(try Verification.run(night.log, against: last.hash).notedAt?.last == last.number)
        for task in gone {
            #expect(try night.log.task(task) == nil)
            #expect(try TaskReport.read(task, from: night.log) == nil)
            try night.log.logLines(of: task, after: nil) { _ in
                Issue.record("a log line is left")
                return true
            }
        }
        // The next engine finds the same as before.
        var after = try Recovery.fold(LMDBLog(path: night.path)).state
        #expect(after.content.tasks == state.tasks && after.content.held == state.held)
        var turn = Turn(time: last.time)
        try after.perform(
            .startEngine(EngineStart(version: "1", processID: 1, host: "h")), by: Actor(.engine), in: &turn)

        // The archive has each of them, and the store takes them back.
        #expect(try RunBundle.read(archived).map(\.task).count == gone.count)
        let outcomes = try BundleImport(archived).add(to: StoreEditor(path: night.path), path: night.path)
        #expect(Set(outcomes.filter { !$0.wasThere }.map(\.bundle.task)) == gone)
        #expect(try everything(night.log).dropLast() == events[...])
        #expect(try tasks(night.log) == before)
        #expect(try Verification.run(night.log).absent == 0)
    }

    @Test("Nothing goes twice, and nothing is recorded when nothing goes")
    func again() throws {
        let night = try WrittenStore()
        try night.submit(WrittenStore.single)
        try night.succeedAll()
        try night.submit(WrittenStore.diamond)
        night.log.endWriting()
        let editor = try StoreEditor(path: night.path)
        #expect(try pruning().run(editor).tasks == 1)
        let head = try editor.currentHead()
        let nothing = try pruning().run(editor)
        #expect(nothing.tasks == 0 && nothing.events == 0 && nothing.templates == 0)
        #expect(try editor.currentHead() == head)
        #expect(try editor.template(WrittenStore.single.digest) == nil)
        #expect(try editor.template(WrittenStore.diamond.digest) == WrittenStore.diamond)
    }

    @Test("Only what ended before the time")
    func age() throws {
        let night = try WrittenStore()
        let first = try night.submit(WrittenStore.single)
        try night.succeedAll()
        night.pass(1000)
        let second = try night.submit(WrittenStore.single)
        try night.succeedAll()
        night.log.endWriting()
        let editor = try StoreEditor(path: night.path)
        let end = WrittenStore.begin.advanced(by: Milliseconds(1000))
        #expect(try pruning(before: WrittenStore.begin).run(editor).tasks == 0)
        #expect(try pruning(before: end).run(editor).tasks == 1)
        #expect(try tasks(editor).map(\.id) == [second])
        #expect(try editor.task(first) == nil)
    }

    @Test("A task stays as long as an older one has its key")
    func keys() throws {
        let night = try WrittenStore()
        // The older waits for its first step, which nobody ends; the newer has its key and is complete.
        let older = try night.submit(WrittenStore.diamond, key: "k")
        let newer = try night.submit(WrittenStore.single, key: "k")
        let other = try night.submit(WrittenStore.diamond, key: "k")
        for (task, attempt) in night.attempts where task == newer { try night.succeed(task, attempt) }
        try night.turn([(.cancelTask(other, reason: nil), .operator)])
        night.log.endWriting()
        let editor = try StoreEditor(path: night.path)
        #expect(try pruning().run(editor).tasks == 1)
        #expect(Set(try tasks(editor).map(\.id)) == [older, other])
        #expect(try editor.task(namespace: "tests", name: WrittenStore.diamond.name, key: "k") == other)
        _ = try Verification.run(editor)
    }

    @Test("They are the same in portions of any size, by name, and in number", arguments: [5, 6] as [UInt64])
    func portions(seed: UInt64) throws {
        let night = try WrittenStore()
        try night.live(turns: 120, seed: seed)
        let older = try night.submit(WrittenStore.diamond, key: "k")
        let newer = try night.submit(WrittenStore.diamond, key: "k")
        try night.turn([(.cancelTask(newer, reason: nil), .operator)])
        let all = try tasks(night.log).sorted { $0.id < $1.id }
        let expected = all.filter { $0.state.isClosed && $0.id != newer }
        #expect(expected.count > 5)
        for size in [1, 3, expected.count, 1000] {
            var prunable = try PrunableTasks(endedBefore: .never, in: night.log)
            var found: [TaskSummary] = []
            while true {
                let portion = try prunable.next(size, in: night.log)
                guard !portion.isEmpty else { break }
                #expect(portion.count <= size)
                found += portion
            }
            #expect(found == expected)
            #expect(try prunable.next(size, in: night.log).isEmpty)
        }
        let prunable = try PrunableTasks(endedBefore: .never, in: night.log)
        let names = all.map(\.id) + [expected[0].id, TaskID(high: 1, low: 2)]
        #expect(try prunable.among(names, in: night.log) == expected)
        #expect(try prunable.among([older, newer], in: night.log).isEmpty)
        let count = try prunable.count(in: night.log)
        #expect(count.tasks == expected.count && count.events == expected.reduce(0) { $0 + Int($1.eventCount) })
        #expect(try PrunableTasks(endedBefore: WrittenStore.begin, in: night.log).count(in: night.log).tasks == 0)
    }

    @Test("A portion begins where the one before ended, though that one has left")
    func betweenPortions() throws {
        let night = try WrittenStore()
        try night.live(turns: 120, seed: 7)
        night.log.endWriting()
        let before = try tasks(night.log)
        let closed = before.filter(\.state.isClosed)
        var sizes: [Int] = []
        var pruning = pruning()
        pruning.tasksMax = 2
        let report = try pruning.run(
            StoreEditor(path: night.path),
            progress: {
                sizes.append($0.tasks); #expect($1 >= $0.tasks)
            })
        let left = Set(try tasks(night.log).map(\.id))
        #expect(report.tasks == before.count - left.count && report.tasks > 4)
        #expect(closed.filter { left.contains($0.id) }.allSatisfy { $0.key != nil })
        #expect(sizes.count >= report.tasks / 2 && sizes.last == report.tasks)
        _ = try Verification.run(night.log)
    }

    @Test("What the archive cannot keep stays in the store")
    func fullArchive() throws {
        struct Full: Error {}
        let night = try WrittenStore()
        try night.live(turns: 60, seed: 4)
        night.log.endWriting()
        let before = try everything(night.log)
        #expect(throws: Full.self) {
            try pruning().run(StoreEditor(path: night.path)) { _ in throw Full() }
        }
        #expect(try everything(night.log) == before)
    }

    @Test("The space is used again")
    func space() throws {
        let night = try WrittenStore()
        let large = String(repeating: "x", count: 200_000)
        for _ in 0..<20 {
            try night.submit(WrittenStore.single, input: #"{"x": "\#(large)"}"#)
            try night.succeedAll()
        }
        night.log.endWriting()
        let before = try night.log.fileUsage()
        #expect(try pruning().run(StoreEditor(path: night.path)).tasks == 20)
        let after = try night.log.fileUsage()
        #expect(after.freeBytes - before.freeBytes > 3_500_000)
        #expect(after.bytes - before.bytes < 200_000)
    }

    @Test("A store that was pruned can be copied, cut, exported and verified")
    func together() throws {
        let night = try WrittenStore()
        try night.live(turns: 80, seed: 9)
        night.log.endWriting()
        do { _ = try pruning().run(StoreEditor(path: night.path)) }
        let events = try everything(night.log)
        for record in events where record.number.rawValue % 7 == 0 {
            let path = night.sibling("cut-\(record.number.rawValue)")
            let head = try StoreCopy.build(
                NewStore(at: path), from: night.log, through: record.number, cutsLogLines: true)
            let copy = try LMDBReader(path: path)
            _ = try Verification.run(copy)
            #expect(try everything(copy) == events.filter { $0.number <= head.number })
        }
        for task in try night.log.openTasks() {
            let bundle = try #require(try RunBundle.export(task.id, from: night.log, version: "1"))
            #expect(try bundle.check().unproven == 0)
        }
    }
}
