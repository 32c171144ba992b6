import Foundation
import StepwellModel
import Testing

@testable import StepwellLog

/// What a disk, a copy or a hand may do to a store: it must end in an error, not in a signal or in wrong answers.
struct StoreDamageTests {
    let directory = TemporaryDirectory()

    /// A store with rows in every table, values on pages of their own, and several levels of pages.
    private func fill() throws -> [EventRecord] {
        var story = Story()
        var generator = SeededGenerator(seed: 1)
        let log = try LMDBLog(path: directory.store)
        for number in 0..<60 as Range<UInt64> {
            _ = story.add(generator.template())
            for task in 0..<20 as Range<UInt64> {
                story.submit(.numbered(number * 20 + task), key: "\(number)-\(task)")
                story.log(.numbered(number * 20 + task), lease: 1, 0, "line")
            }
            story.add(
                .attemptSucceeded(
                    AttemptID(step: 0, attempt: 1, lease: Lease(1), worker: WorkerID(1)),
                    result: JSONText(.string(String(repeating: "x", count: 10_000))), metadata: nil),
                task: .numbered(number * 20))
            story.snapshot(.numbered(number * 20), [UInt8](repeating: 1, count: 5000))
            try log.append(story.take())
        }
        return story.events
    }

    @Test("a file that has lost its end is refused or still whole")
    func truncated() throws {
        let events = try fill()
        let whole = try #require(FileManager.default.contents(atPath: directory.data))
        let lengths = Array(stride(from: 1, to: whole.count, by: 37 * 4096)) + [4095, 4096, 8191, 8192, 12288]
        var refused = 0
        for length in lengths + [whole.count - 1, whole.count - 4096, whole.count - 8192] {
            try whole.prefix(length).write(to: URL(fileURLWithPath: directory.data))
            for open in [{ try LMDBReader(path: directory.store) }, { try LMDBLog(path: directory.store) }]
                as [() throws -> any EventReader]
            {
                do {
                    let log = try open()
                    #expect(try log.allEvents() == events)
                } catch is LogError {
                    refused += 1
                }
            }
        }
        // The newest pages are somewhere near the end: nearly every cut takes one that is needed.
        #expect(refused >= lengths.count * 2)
        try whole.write(to: URL(fileURLWithPath: directory.data))
        #expect(try LMDBLog(path: directory.store).allEvents() == events)
    }

    @Test("one of the first two pages in the place of the other is noticed: it would take a commit back")
    func misplacedMeta() throws {
        _ = try fill()
        let whole = try #require(FileManager.default.contents(atPath: directory.data))
        for (from, to) in [(0, 4096), (4096, 0)] {
            var damaged = whole
            damaged.replaceSubrange(to..<to + 4096, with: whole[from..<from + 4096])
            try damaged.write(to: URL(fileURLWithPath: directory.data))
            #expect(throws: LogError.self) { try LMDBReader(path: directory.store) }
            #expect(throws: LogError.self) { try LMDBLog(path: directory.store) }
        }
    }

    @Test("a file that ends in pages that no one refers to is whole")
    func looseEnd() throws {
        let events = try fill()
        // What a commit leaves when it gives back the last pages that it took: the number is higher than the file is long.
        let handle = try #require(FileHandle(forUpdatingAtPath: directory.data))
        for page in [0, 4096] as [UInt64] {
            try handle.seek(toOffset: page + 136)
            let last = try #require(try handle.read(upToCount: 8)).withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
            try handle.seek(toOffset: page + 136)
            try handle.write(contentsOf: withUnsafeBytes(of: last + 3) { Data($0) })
        }
        try handle.close()
        #expect(try LMDBReader(path: directory.store).allEvents() == events)
        let log = try LMDBLog(path: directory.store)
        #expect(try log.allEvents() == events)
        var story = Story(after: log.head)
        story.add(.engineStopped, actor: .engine)
        try log.append(story.take())
        let size = try FileManager.default.attributesOfItem(atPath: directory.data)[.size] as? Int
        let lastPage = try #require(FileManager.default.contents(atPath: directory.data)).withUnsafeBytes { bytes in
            max(
                bytes.loadUnaligned(fromByteOffset: 136, as: Int.self),
                bytes.loadUnaligned(fromByteOffset: 4096 + 136, as: Int.self))
        }
        #expect(try #require(size) >= (lastPage + 1) * 4096)
    }

    @Test("a bit that flips where a page keeps its structure is found without LMDB, or does LMDB no harm")
    func flippedStructure() throws {
        let events = try fill()
        try LMDBReader.checkPages(path: directory.store)
        let whole = try #require(FileManager.default.contents(atPath: directory.data))
        let handle = try #require(FileHandle(forUpdatingAtPath: directory.data))
        func put(_ byte: UInt8, at place: Int) throws {
            try handle.seek(toOffset: UInt64(place))
            try handle.write(contentsOf: [byte])
        }
        var generator = SeededGenerator(seed: 3)
        var found = 0
        for _ in 0..<400 {
            let place =
                Int.random(in: 2..<(whole.count / 4096), using: &generator) * 4096
                + Int.random(in: 0..<40, using: &generator)
            try put(whole[place] ^ 1 << UInt8.random(in: 0..<8, using: &generator), at: place)
            do {
                try LMDBReader.checkPages(path: directory.store)
                // Of a page that is not in use, or the unused part of one.
                let reader = try LMDBReader(path: directory.store)
                try reader.checkPages()
                #expect(try reader.allEvents() == events)
            } catch is LogError {
                found += 1
            }
            try put(whole[place], at: place)
        }
        try handle.close()
        #expect(found > 50)
        #expect(try LMDBReader(path: directory.store).allEvents() == events)
    }

    @Test("a page that is in use and listed as free is found")
    func usedAndFree() throws {
        var story = Story()
        let log = try LMDBLog(path: directory.store)
        for _ in 0..<5 {
            story.add(.engineStopped, actor: .engine)
            try log.append(story.take())
        }
        try LMDBReader.checkPages(path: directory.store)
        let whole = try #require(FileManager.default.contents(atPath: directory.data))
        // The newest list of free pages: its root is in the newest meta page.
        let roots = [0, 4096].map { page in
            whole.withUnsafeBytes { bytes in
                (
                    bytes.loadUnaligned(fromByteOffset: page + 144, as: Int.self),
                    bytes.loadUnaligned(fromByteOffset: page + 80, as: Int.self)
                )
            }
        }
        let root = try #require(roots.max { $0.0 < $1.0 }).1
        let handle = try #require(FileHandle(forUpdatingAtPath: directory.data))
        // The last eight bytes of the page are the last number of its first row's list.
        try handle.seek(toOffset: UInt64(root * 4096 + 4088))
        try handle.write(contentsOf: withUnsafeBytes(of: root) { Data($0) })
        try handle.close()
        #expect(throws: LogError.self) { try LMDBReader.checkPages(path: directory.store) }
    }

    @Test("an event whose bytes have changed is refused, and the others are read")
    func changedEvent() throws {
        let events = try fill()
        var data = try #require(FileManager.default.contents(atPath: directory.data))
        let victim = events[600]
        let bytes = Data(encode(victim))
        // Older copies of a page hold the event too.
        var start = data.startIndex
        while let range = data.range(of: bytes, in: start..<data.endIndex) {
            data[range.lowerBound] ^= 0x40
            start = range.upperBound
        }
        try data.write(to: URL(fileURLWithPath: directory.data))
        let log = try LMDBLog(path: directory.store)
        #expect(throws: LogError.self) { try log.event(victim.number) }
        #expect(throws: LogError.self) { try log.allEvents() }
        #expect(try log.event(victim.number.next) == events[601])
    }

    @Test("commits and events that disagree on the log's end are refused")
    func disagreement() throws {
        let events = try fill()
        let last = try #require(events.last).number
        func change(_ body: (borrowing WriteTransaction, Tables) throws -> Void) throws {
            let log = try LMDBLog(path: directory.store)
            try log.environment.write(size: 0) { try body($0, log.environment.tables) }
        }
        try change { transaction, tables in
            try withUnsafeBytes(of: RowKey.number(last)) { try transaction.delete(tables.commits, $0) }
        }
        #expect(throws: LogError.self) { try LMDBLog(path: directory.store) }
    }

    @Test("an event that is missing in the middle is noticed")
    func gap() throws {
        _ = try fill()
        do {
            let log = try LMDBLog(path: directory.store)
            try log.environment.write(size: 0) { transaction in
                try withUnsafeBytes(of: RowKey.number(SequenceNumber(50))) {
                    try transaction.delete(log.environment.tables.events, $0)
                }
            }
            #expect(throws: LogError.self) { try log.allEvents() }
        }
        #expect(throws: LogError.self) { try LMDBLog(path: directory.store) }
    }
}
