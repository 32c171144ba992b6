import StepwellModel
import Testing

@testable import StepwellLog

/// Rows whose keys, which have no checksum, hold numbers that no log comes to: an error, and no arithmetic that ends the process.
struct ImpossibleNumberTests {
    let directory = TemporaryDirectory()

    /// A store with a few tasks, to which `change` is done.
    private func damaged(_ change: (borrowing WriteTransaction, Tables) throws -> Void) throws {
        let log = try LMDBLog(path: directory.store)
        var story = Story()
        for number in 0..<3 as Range<UInt64> { story.submit(.numbered(number), key: "\(number)") }
        try log.append(story.take())
        try log.environment.write(size: 0) { try change($0, log.environment.tables) }
    }

    /// Asks all that goes through rows in order; at least one answer must be that the store is damaged.
    private func expectDamage(sourceLocation: SourceLocation = #_sourceLocation) {
        let questions: [(LMDBReader) throws -> Void] = [
            { _ = try $0.allEvents() },
            { _ = try $0.tasks(matching: TaskFilter(), limit: 10) },
            { _ = try $0.tasks(key: "1") },
            { _ = try $0.lastEvent(notAfter: .zero) },
            { _ = try $0.lastEvent(notAfter: Timestamp(milliseconds: .max)) },
            { _ = try $0.statistics() },
            { try $0.view { view in try view.commits(after: .zero) { _, _ in true } } },
            {
                _ = try $0.view { view in
                    try view.commit(holding: SequenceNumber(1)).map { try view.events(of: $0).count }
                }
            },
        ]
        var found = 0
        for question in questions {
            do throws(any Error) {
                try question(LMDBReader(path: directory.store))
            } catch LogError.corrupt {
                found += 1
            } catch {
                Issue.record("\(error)", sourceLocation: sourceLocation)
            }
        }
        #expect(found > 0, sourceLocation: sourceLocation)
    }

    @Test(
        "a task that was submitted before the beginning or after the end of time", arguments: [0x80, 0xFF] as [UInt8])
    func timeOfSubmission(first: UInt8) throws {
        try damaged { transaction, tables in
            var key = try firstKey(of: tables.byState, transaction)
            key[key.count - RowKey.byStateTail] = first
            try key.withRawBytes {
                try transaction.put(tables.byState, $0, UnsafeRawBufferPointer(start: nil, count: 0))
            }
        }
        expectDamage()
    }

    @Test(
        "an event or a commit behind the last number, or with none", arguments: [0, 1 << 63, .max] as [UInt64],
        [true, false])
    func numberOfARow(number: UInt64, isEvent: Bool) throws {
        try damaged { transaction, tables in
            let table = isEvent ? tables.events : tables.commits
            let key = try firstKey(of: table, transaction)
            let row = try key.withRawBytes { Array(try #require(try transaction.get(table, $0))) }
            try withUnsafeBytes(of: number.bigEndian) { key in
                try row.withRawBytes { try transaction.put(table, key, $0) }
            }
        }
        expectDamage()
    }

    @Test("a commit that begins behind its end")
    func turnedAround() throws {
        try damaged { transaction, tables in
            var rows = RowWriter()
            let last = SequenceNumber(3)
            let hash = [UInt8](repeating: 0, count: SHA256.byteCount)
            try rows.put(
                Commit(first: SequenceNumber(4), last: last, time: .zero, hash: hash, form: .flat), in: transaction,
                tables)
        }
        expectDamage()
    }

    @Test("as many absent events as there are numbers")
    func absent() throws {
        try damaged { transaction, tables in
            var writer = CBORWriter()
            writer.unsigned(UInt64.max)
            try transaction.put(tables.meta, StoreInfo.absentKey, writer.bytes)
        }
        expectDamage()
        #expect(throws: LogError.self) { try LMDBLog(path: directory.store) }
    }

    private func firstKey(of table: Table, _ transaction: borrowing WriteTransaction) throws -> [UInt8] {
        let cursor = try transaction.cursor(table)
        return Array(try #require(try cursor.move(.first)).key)
    }
}
