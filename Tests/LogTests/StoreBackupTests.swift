import Foundation
import StepwellModel
import Testing

@testable import StepwellLog

/// Copies of stores: whole or not there, and what is put aside for them.
struct StoreBackupTests {
    let directory = TemporaryDirectory()
    private var copy: String { directory.path + "/copy" }

    private func fill(_ path: String, tasks: Int = 40, payload: Int = 100) throws -> [EventRecord] {
        var story = Story()
        var generator = SeededGenerator(seed: 3)
        let log = try LMDBLog(path: path)
        for number in 0..<UInt64(tasks) {
            _ = story.add(generator.template())
            story.submit(.numbered(number), name: "näch\u{1F319}tlich", key: "\(number)")
            story.log(.numbered(number), lease: 1, 0, "line")
            story.add(
                .attemptSucceeded(
                    AttemptID(step: 0, attempt: 1, lease: Lease(1), worker: WorkerID(1)),
                    result: JSONText(.string(String(repeating: "x", count: payload))), metadata: nil),
                task: .numbered(number))
            try log.append(story.take())
        }
        return story.events
    }

    private func names(_ path: String) throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: path))
    }

    @Test("a copy has all that the store has, and no more files than it needs", arguments: [0, 1, 40])
    func copying(tasks: Int) throws {
        let events = try fill(directory.store, tasks: tasks)
        let reader = try LMDBReader(path: directory.store)
        let backup = try NewStore(at: copy)
        let head = try backup.copy(reader)
        #expect(head == (try reader.currentHead()))
        #expect(try names(copy) == ["data.mdb", "engine.lock"])
        #expect(backup.bytes > 0)
        let restored = try LMDBReader(path: copy)
        #expect(try restored.allEvents() == events)
        #expect(
            try restored.tasks(matching: TaskFilter(), limit: 100) == reader.tasks(matching: TaskFilter(), limit: 100))
        if tasks > 0 { #expect(try restored.allLines(of: .numbered(0)) == ["line"]) }
    }

    @Test("a copy can be made while the same process writes, and an engine can open it")
    func beside() throws {
        _ = try fill(directory.store)
        let log = try LMDBLog(path: directory.store)
        var story = Story(after: log.head)
        let reader = try LMDBReader(path: directory.store)
        _ = try NewStore(at: copy).copy(reader)
        story.submit(.numbered(1000))
        try log.append(story.take())
        let other = try LMDBLog(path: copy)
        #expect(other.head.number.rawValue + 1 == log.head.number.rawValue)
        #expect(try other.storeID() == log.storeID())
    }

    @Test("what is there is never overwritten")
    func occupied() throws {
        _ = try fill(directory.store)
        let other = directory.path + "/other"
        _ = try fill(other, tasks: 1)
        #expect(throws: LogError.notEmpty(path: other)) { try NewStore(at: other) }
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        try Data("mine".utf8).write(to: URL(fileURLWithPath: copy + "/notes.txt"))
        #expect(throws: LogError.notEmpty(path: copy)) { try NewStore(at: copy) }
        #expect(try names(copy) == ["notes.txt"])
        #expect(throws: LogError.self) { try NewStore(at: copy + "/notes.txt") }
        // Another copy to the same place, or an engine that is about to make its store there.
        let third = directory.path + "/third"
        let backup = try NewStore(at: third)
        try StoreDirectory(path: third).create()
        let lock = try EngineLock(StoreDirectory(path: third))
        #expect(throws: LogError.locked(path: third, owner: Int(getpid()))) {
            try backup.copy(LMDBReader(path: directory.store))
        }
        _ = consume lock
    }

    @Test("what a killed copy has left is taken away by the next, which uses the place")
    func leftover() throws {
        let events = try fill(directory.store)
        let left = StoreDirectory(path: copy + "/" + StoreDirectory.unfinishedName)
        try left.create()
        try Data(count: 5000).write(to: URL(fileURLWithPath: left.dataPath))
        #expect(throws: LogError.notFound(path: copy)) { try LMDBReader(path: copy) }
        _ = try NewStore(at: copy).copy(LMDBReader(path: directory.store))
        #expect(try names(copy) == ["data.mdb", "engine.lock"])
        #expect(try LMDBReader(path: copy).allEvents() == events)
    }

    @Test("a copy that is given up leaves nothing, not even the directory that it made")
    func abandoned() throws {
        let backup = try NewStore(at: copy)
        let left = StoreDirectory(path: copy + "/" + StoreDirectory.unfinishedName)
        try left.create()
        try Data(count: 5000).write(to: URL(fileURLWithPath: left.dataPath))
        #expect(backup.bytesWritten == 5000)
        backup.abandon()
        #expect(!FileManager.default.fileExists(atPath: copy))
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        try NewStore(at: copy).abandon()
        #expect(try names(copy) == [])
    }

    // MARK: Restoring

    @Test("a store comes back where there was none")
    func restoring() throws {
        let events = try fill(directory.store)
        let (head, aside) = try StoreRestore(at: copy, replaces: false).perform(from: LMDBReader(path: directory.store))
        #expect(aside == nil)
        let log = try LMDBLog(path: copy)
        #expect(log.head == head)
        #expect(try log.allEvents() == events)
    }

    @Test("a store that is there stays unless it may be put aside, and then keeps all that it had")
    func replacing() throws {
        let events = try fill(directory.store)
        let old = try fill(copy, tasks: 2)
        #expect(throws: LogError.notEmpty(path: copy)) { try StoreRestore(at: copy, replaces: false) }
        let backup = try LMDBReader(path: directory.store)
        var asides: [String] = []
        for round in 1...2 {
            let restore = try StoreRestore(at: copy, replaces: true)
            #expect(restore.putsAside)
            let (_, aside) = try restore.perform(from: backup)
            #expect(aside == "\(copy).replaced-\(round)")
            asides.append(try #require(aside))
            #expect(try LMDBReader(path: copy).allEvents() == events)
        }
        #expect(try LMDBReader(path: asides[0]).allEvents() == old)
        #expect(try names(directory.path) == ["store", "copy", "copy.replaced-1", "copy.replaced-2"])
    }

    @Test("a store that an engine writes is not taken from it, nor a backup from itself")
    func inUse() throws {
        _ = try fill(directory.store)
        _ = try fill(copy, tasks: 1)
        let backup = try LMDBReader(path: directory.store)
        let log = try LMDBLog(path: copy)
        #expect(throws: LogError.locked(path: copy, owner: Int(getpid()))) {
            try StoreRestore(at: copy, replaces: true).perform(from: backup)
        }
        #expect(log.head.number > .zero)
        #expect(throws: LogError.self) {
            try StoreRestore(at: directory.store, replaces: true).perform(from: backup)
        }
        #expect(try names(directory.path) == ["store", "copy"])
    }

    @Test("a damaged store can be replaced, and a link to a store stays a link")
    func odd() throws {
        let events = try fill(directory.store)
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        try Data(count: 100).write(to: URL(fileURLWithPath: copy + "/data.mdb"))
        let link = directory.path + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: copy)
        let (_, aside) = try StoreRestore(at: link, replaces: true).perform(from: LMDBReader(path: directory.store))
        #expect(aside == copy + ".replaced-1")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == copy)
        #expect(try LMDBReader(path: link).allEvents() == events)
    }
}

/// What is counted of a store.
struct StoreStatisticsTests {
    let directory = TemporaryDirectory()

    @Test("an empty store has numbers too")
    func empty() throws {
        let log = try LMDBLog(path: directory.store)
        let statistics = try log.statistics()
        #expect(statistics.head == .empty && statistics.commits == 0 && statistics.tasks == [])
        #expect(statistics.days == [] && statistics.largest == [] && statistics.oldestOpen == nil)
        #expect(statistics.tables.map(\.name).contains("by_state"))
        #expect(statistics.file.bytes > 0 && statistics.file.mapBytes == log.mapSize)
        #expect(try statistics.storeID == log.storeID())
    }

    @Test("tasks are counted by state and template, events by day, the largest come first")
    func counts() throws {
        let log = try LMDBLog(path: directory.store)
        var story = Story(time: Timestamp(milliseconds: 1_700_000_000_000))
        let long = String(repeating: "n", count: 300)
        for number in 0..<3 as Range<UInt64> { story.submit(.numbered(number), name: long) }
        story.submit(.numbered(4), name: "other", state: .complete)
        try log.append(story.take())
        story.advance(86_400_000)
        for (number, size) in [(0, 3000), (1, 20_000), (2, 9)] as [(UInt64, Int)] {
            story.add(
                .attemptCheckpointed(
                    AttemptID(step: 0, attempt: 1, lease: Lease(1), worker: WorkerID(1)),
                    data: JSONText(.string(String(repeating: "x", count: size)))),
                task: .numbered(number))
        }
        try log.append(story.take())

        let statistics = try log.statistics(largest: 2)
        #expect(
            statistics.tasks == [
                .init(state: .pending, namespace: "default", name: long, count: 3),
                .init(state: .complete, namespace: "default", name: "other", count: 1),
            ])
        #expect(statistics.days == [.init(date: "2023-11-14", events: 4), .init(date: "2023-11-15", events: 3)])
        #expect(statistics.largest.map(\.event.number) == [SequenceNumber(6), SequenceNumber(5)])
        #expect(statistics.largest[0].bytes > 20_000)
        #expect(statistics.oldestOpen?.id == .numbered(0))
        #expect(statistics.commits == 2)
        let rows = Dictionary(uniqueKeysWithValues: statistics.tables.map { ($0.name, $0.rows) })
        #expect(rows["events"] == 7 && rows["tasks"] == 4 && rows["open"] == 3 && rows["logs"] == 0)
    }

    @Test("who reads is told, with the commit that it looks at")
    func readers() throws {
        let log = try LMDBLog(path: directory.store)
        let found = try log.environment.read { _ throws(LogError) in log.environment.readers() }
        #expect(found.map(\.process) == [Int(getpid())])
        #expect(found.first?.transaction != nil)
        #expect(log.environment.readers().allSatisfy { $0.transaction == nil })
    }

    @Test("pages that a commit gave back are counted as free")
    func freePages() throws {
        let log = try LMDBLog(path: directory.store)
        var story = Story()
        story.submit(.numbered(1))
        story.snapshot(.numbered(1), [UInt8](repeating: 1, count: 400_000))
        try log.append(story.take())
        let before = try log.fileUsage()
        story.add(.taskCompleted, task: .numbered(1))
        story.set(.numbered(1), .complete)
        try log.append(story.take())
        let after = try log.fileUsage()
        #expect(after.freeBytes > before.freeBytes + 390_000)
        #expect(after.freeBytes < after.bytes)
    }
}
