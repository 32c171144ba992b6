import StepwellEngine
import StepwellHistory
import StepwellKernel
import StepwellLog
import StepwellModel
import Testing

@Suite("Verifying a store")
struct VerificationTests {
    private let store = ScratchStore()

    /// A store with a complete, a blocked and a cancelled task, a retry, a loss, a late result and a checkpointed key.
    @discardableResult
    private func fill() throws -> LogHead {
        let log = try LMDBLog(path: store.path)
        defer { log.endWriting() }
        var recorded = try Recorded(
            Template(
                namespace: "tests", name: "nightly", version: "1",
                steps: [
                    .step("extract", retry: RetryPolicy(attemptsMax: 3, initialDelay: .seconds(1))),
                    .step("load", after: [0], retry: RetryPolicy(attemptsMax: 1)), .step("report", after: [1]),
                ]), input: JSONText(#"{"day": "2026-11-24", "städte": ["Köln"]}"#), key: "monday", log: log)
        try recorded.fail("extract", Failure(message: "503", errorType: "http"))
        try recorded.pass(60_000)
        try recorded.succeed("extract", #"{"rows": 31}"#)
        try recorded.lose(1)
        try recorded.join(2)
        try recorded.fail("load", Failure(message: "no table", errorType: "sql", retryable: false))
        try recorded.resolve("load", #"{"rows": 31}"#, reason: "by hand")
        try recorded.succeed("load", "{}")
        try recorded.succeed("report")
        try recorded.submitAnother(key: "monday")
        try recorded.succeed("extract")
        try recorded.fail("load", Failure(message: "no table", errorType: "sql", retryable: false))
        try recorded.retry()
        try recorded.submitAnother(key: nil)
        try recorded.cancel("enough")
        return log.head
    }

    private func verify(from: UInt64 = 1, against: [UInt8]? = nil) throws -> VerificationReport {
        try Verification.run(LMDBReader(path: store.path), from: SequenceNumber(from), against: against)
    }

    /// The event that a verification names.
    private func firstBad(_ comment: Comment? = nil) -> SequenceNumber? {
        do {
            _ = try verify()
            return nil
        } catch LogError.corrupt(_, let number) {
            return number ?? .zero
        } catch {
            Issue.record("\(error)")
            return nil
        }
    }

    @Test("A sound store is sound, and its end and counts are told")
    func sound() throws {
        let head = try fill()
        let report = try verify()
        #expect(report.head == head)
        #expect(report.last == head.number)
        #expect(report.events == Int(head.number.rawValue))
        #expect((report.tasks, report.tasksOpen) == (3, 1))
        #expect(try verify(from: 20).events == report.events)
    }

    @Test("An empty store is sound")
    func empty() throws {
        _ = try LMDBLog(path: store.path)
        #expect(try verify().events == 0)
    }

    @Test("A hash that was noted is found, also when the log has gone on; another is not")
    func noted() throws {
        let log = try LMDBLog(path: store.path)
        var recorded = try Recorded([.step("one"), .step("two")], log: log)
        let noted = log.head
        try recorded.succeed("one")
        log.endWriting()
        #expect(try verify(against: noted.hash).notedAt?.last == noted.number)
        #expect(throws: VerificationError.unknownHash) { try verify(against: [UInt8](repeating: 7, count: 32)) }
    }

    @Test("A thousand flipped bits, one at a time: each is named, and never folded")
    func flippedBits() throws {
        let head = try fill()
        var random = SystemRandomNumberGenerator()
        let rows = try store.rows("events")
        #expect(rows.count == Int(head.number.rawValue))
        for _ in 0..<1000 {
            let (key, value) = rows.randomElement(using: &random)!
            let number = SequenceNumber(key.reduce(0) { $0 << 8 | UInt64($1) })
            var flipped = value
            let bit = Int.random(in: 0..<value.count * 8, using: &random)
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            try store.put("events", key, flipped)
            #expect(firstBad() == number, "bit \(bit) of event \(number)")
            #expect(throws: LogError.self, "bit \(bit) of event \(number)") { try Replay.fold(store: store.path) }
            try store.put("events", key, value)
        }
        #expect(firstBad() == nil)
    }

    @Test("An engine does not fold a flipped bit of an open task")
    func recovery() throws {
        let log = try LMDBLog(path: store.path)
        var recorded = try Recorded([.step("one"), .step("two", after: [0])], log: log)
        try recorded.succeed("one", #"{"total": 3849.68}"#)
        log.endWriting()
        let own = try LMDBReader(path: store.path).numbers(of: recorded.task)
        #expect(own.count > 5)
        for number in own {
            let key = store.key(number)
            let value = try #require(try store.rows("events").first { $0.key == key }).value
            for bit in stride(from: 0, to: value.count * 8, by: 5) {
                var flipped = value
                flipped[bit / 8] ^= 1 << UInt8(bit % 8)
                try store.put("events", key, flipped)
                #expect(throws: LogError.self, "bit \(bit) of event \(number)") {
                    try Recovery.fold(LMDBLog(path: store.path))
                }
            }
            try store.put("events", key, value)
        }
    }

    @Test("An event that somebody has rewritten, checksum and all, breaks the chain")
    func rewritten() throws {
        try fill()
        let rows = try store.rows("events")
        for place in stride(from: 0, to: rows.count, by: 3) {
            let number = SequenceNumber(UInt64(place + 1))
            var record = try EventCodec.decode(rows[place].value, number: number)
            record.actor = Actor(.operator, id: "mallory")
            try store.put("events", rows[place].key, EventCodec.encode(record))
            let named = try #require(firstBad())
            // The chain binds commits: the first event of the one that was changed is named, or the event itself.
            #expect(named <= number)
            #expect(number.rawValue - named.rawValue < 12)
            try store.put("events", rows[place].key, rows[place].value)
        }
    }

    @Test("What is derived is held against the events", arguments: ["tasks", "open", "by_state", "keys", "templates"])
    func derived(_ table: String) throws {
        try fill()
        let rows = try store.rows(table)
        #expect(!rows.isEmpty)
        for (key, value) in rows {
            try store.delete(table, key)
            #expect(throws: LogError.self, "without a row of \(table)") { try verify() }
            var otherKey = key
            otherKey[key.count - 1] ^= 0x80
            try store.put(table, otherKey, value)
            #expect(throws: LogError.self, "with a row of \(table) in another place") { try verify() }
            try store.put(table, key, value)
            #expect(throws: LogError.self, "with one row of \(table) too many") { try verify() }
            try store.delete(table, otherKey)
            for byte in value.indices {
                var flipped = value
                flipped[byte] ^= 4
                try store.put(table, key, flipped)
                #expect(throws: LogError.self, "with byte \(byte) of a row of \(table) changed") { try verify() }
            }
            try store.put(table, key, value)
        }
        _ = try verify()
    }

    @Test("A missing event, a missing commit and a cut end are named")
    func missing() throws {
        let head = try fill()
        let events = try store.rows("events")
        let commits = try store.rows("commits")
        try store.delete("events", events[6].key)
        #expect(throws: LogError.self) { try verify() }
        try store.put("events", events[6].key, events[6].value)
        try store.delete("commits", commits[3].key)
        #expect(throws: LogError.self) { try verify() }
        try store.put("commits", commits[3].key, commits[3].value)
        // Without its last commit the log is a sound one, but not the one whose hash was noted.
        try store.delete("commits", commits.last!.key)
        #expect(throws: LogError.self) { try verify(against: head.hash) }
    }

    @Test("A snapshot that is not what the events give is named")
    func snapshots() throws {
        let log = try LMDBLog(path: store.path)
        let recorded = try Recorded((0..<300).map { .step("s\($0)") }, log: log)
        log.endWriting()
        let (state, _) = try Replay.fold(log)
        var task = try #require(state[recorded.task])
        let key = store.key(recorded.task)
        let number = store.key(task.last)
        try store.put("snapshots", key, number + SnapshotCodec.encode(task))
        _ = try verify()
        task.steps[7].attempt += 1
        try store.put("snapshots", key, number + SnapshotCodec.encode(task))
        #expect(throws: LogError.self) { try verify() }
    }
}

extension EventReader {
    fileprivate func numbers(of task: TaskID) throws -> [SequenceNumber] {
        var numbers: [SequenceNumber] = []
        try events(of: task, after: .zero, payloads: .skipped) { numbers.append($0.number) }
        return numbers
    }
}

extension EventCodec {
    fileprivate static func decode(_ bytes: [UInt8], number: SequenceNumber) throws -> EventRecord {
        try bytes.withUnsafeBytes { try decode($0, number: number, payloads: .included) }
    }

    fileprivate static func encode(_ record: EventRecord) -> [UInt8] {
        var writer = CBORWriter()
        encode(record, into: &writer)
        return writer.bytes
    }
}
