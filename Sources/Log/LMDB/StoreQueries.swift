package import StepwellModel

/// Questions to a store, answered the same whether it is open for writing or for looking on.
package protocol StoreQueries: EventReader {
    var environment: Environment { get }
}

/// How much is decoded in one transaction before the callbacks see it: a few callbacks may be slow, and a transaction that
/// stays open keeps the pages that it sees from being used again.
private enum Chunk {
    static let events = 512
    /// Of events as they lie in the store; one that is larger comes alone.
    static let bytes = 1 << 20
}

extension StoreQueries {
    /// Sixteen random bytes that the store was made with, in hexadecimal digits.
    package func storeID() throws(LogError) -> String {
        try environment.read { transaction throws(LogError) in try StoreInfo.id(transaction, environment) }
    }

    /// The id of the store whose engines have written the events: another one's where they were imported.
    package func writerID() throws(LogError) -> String {
        if let origin = try origin(), origin.kind == .imported { return origin.storeID }
        return try storeID()
    }

    // MARK: Events

    package func event(_ number: SequenceNumber) throws(LogError) -> EventRecord? {
        let events = environment.tables.events
        return try environment.read { transaction throws(LogError) in
            try withUnsafeBytes(of: RowKey.number(number)) { key throws(LogError) in
                guard let bytes = try transaction.get(events, key) else { return nil }
                return try EventCodec.decode(bytes, number: number, payloads: .included)
            }
        }
    }

    package func events(
        after number: SequenceNumber, payloads: Payloads, _ body: (EventRecord) throws -> Bool
    ) throws {
        let tables = environment.tables
        var last = number
        var chunk: [EventRecord] = []
        repeat {
            chunk.removeAll(keepingCapacity: true)
            try environment.read { transaction throws(LogError) in
                let cursor = try transaction.cursor(tables.events)
                var budget = Chunk.bytes
                var row = try withUnsafeBytes(of: RowKey.number(last.next)) { key throws(LogError) in
                    try cursor.seek(key)
                }
                while let (key, bytes) = row {
                    let number = try RowKey.number(from: key)
                    guard number > last else { throw .corrupt("an earlier event stands after it", at: last) }
                    if number != last.next { try transaction.checkGap(after: last, before: number, tables) }
                    last = number
                    chunk.append(try EventCodec.decode(bytes, number: last, payloads: payloads))
                    budget -= bytes.count
                    guard chunk.count < Chunk.events, budget > 0 else { return }
                    row = try cursor.move(.next)
                }
            }
            for record in chunk {
                guard try body(record) else { return }
            }
        } while !chunk.isEmpty
    }

    package func events(
        of task: TaskID, after number: SequenceNumber, payloads: Payloads, _ body: (EventRecord) throws -> Void
    ) throws {
        let events = environment.tables.events
        let numbers = try numbers(of: task, after: number)
        var left = numbers.count
        var chunk: [EventRecord] = []
        while left > 0 {
            chunk.removeAll(keepingCapacity: true)
            try environment.read { transaction throws(LogError) in
                let cursor = try transaction.cursor(events)
                var budget = Chunk.bytes
                while left > 0, chunk.count < Chunk.events, budget > 0 {
                    left -= 1
                    let bytes = try cursor.event(numbers[left])
                    chunk.append(try EventCodec.decode(bytes, number: numbers[left], payloads: payloads))
                    budget -= bytes.count
                }
            }
            for record in chunk { try body(record) }
        }
    }

    /// The numbers of a task's events after `number`, newest first: each event names the one before.
    private func numbers(of task: TaskID, after number: SequenceNumber) throws(LogError) -> [SequenceNumber] {
        guard let summary = try self.task(task) else { return [] }
        let events = environment.tables.events
        return try environment.read { transaction throws(LogError) in
            let cursor = try transaction.cursor(events)
            var numbers: [SequenceNumber] = []
            var next = summary.last
            while next > number {
                numbers.append(next)
                let previous = try EventCodec.previous(try cursor.event(next), number: next)
                guard previous < next else { throw LogError.corrupt("its task's event before it is later", at: next) }
                next = previous
            }
            return numbers
        }
    }

    /// The last event that is not later than `time`; zero when there is none.
    package func lastEvent(notAfter time: Timestamp) throws(LogError) -> SequenceNumber {
        let tables = environment.tables
        return try environment.read { transaction throws(LogError) in
            let commits = try transaction.cursor(tables.commits)
            var row = try commits.move(.last)
            var next: SequenceNumber?
            while let (key, value) = row {
                let commit = try RowCodec.commit(last: try RowKey.number(from: key), from: value)
                guard commit.time > time else { break }
                next = commit.first
                row = try commits.move(.previous)
            }
            guard let next else {
                return try row.map { row throws(LogError) in try RowKey.number(from: row.key) } ?? .zero
            }
            // A commit has the time of its last event; those before may be earlier.
            let events = try transaction.cursor(tables.events)
            var last = SequenceNumber(next.rawValue - 1)
            var event = try withUnsafeBytes(of: RowKey.number(next)) { key throws(LogError) in try events.seek(key) }
            while let (key, value) = event {
                let number = try RowKey.number(from: key)
                guard try EventCodec.decode(value, number: number, payloads: .skipped).time <= time else { break }
                last = number
                event = try events.move(.next)
            }
            return last
        }
    }

    // MARK: Beside the events

    package func snapshot(of task: TaskID) throws(LogError) -> TaskSnapshotBytes? {
        let snapshots = environment.tables.snapshots
        return try environment.read { transaction throws(LogError) in
            try withUnsafeBytes(of: RowKey.id(task)) { id throws(LogError) in
                guard let value = try transaction.get(snapshots, id) else { return nil }
                guard value.count >= 8 else {
                    throw LogError.corrupt("the snapshot of task \(task) is too short", at: nil)
                }
                return TaskSnapshotBytes(
                    task: task, number: SequenceNumber(value.bigEndian(at: 0)), bytes: Array(value.dropFirst(8)))
            }
        }
    }

    package func template(_ digest: TemplateDigest) throws(LogError) -> Template? {
        let templates = environment.tables.templates
        return try environment.read { transaction throws(LogError) in
            try digest.bytes.withRawBytes { key throws(LogError) in
                // LMDB has no empty keys, and no template has an empty digest.
                guard !key.isEmpty, let bytes = try transaction.get(templates, key) else { return nil }
                return try TemplateCodec.decode(bytes, digest: digest)
            }
        }
    }

    package func lastRegistration() throws(LogError) -> SequenceNumber {
        try environment.read { transaction throws(LogError) in try StoreInfo.registered(transaction, environment) }
    }

    package func limits() throws(LogError) -> [LimitRow] {
        try environment.read { transaction throws(LogError) in try StoreInfo.limits(transaction, environment) }
    }

    package func logLines(
        of task: TaskID, after position: LogLinePosition?, _ body: (LogLine) throws -> Bool
    ) throws {
        let logs = environment.tables.logs
        var last = position
        var key: [UInt8] = []
        var chunk: [LogLine] = []
        repeat {
            chunk.removeAll(keepingCapacity: true)
            RowKey.logLine(task, last ?? LogLinePosition(lease: .zero, number: 0), into: &key)
            try environment.read { transaction throws(LogError) in
                let cursor = try transaction.cursor(logs)
                var budget = Chunk.bytes
                var row = try key.withRawBytes { key throws(LogError) in try cursor.seek(key) }
                while let (key, value) = row, chunk.count < Chunk.events, budget > 0 {
                    guard let position = RowKey.logLinePosition(from: key),
                        TaskID(high: key.bigEndian(at: 0), low: key.bigEndian(at: 8)) == task
                    else { return }
                    // Pages in each other's places must not lead round in circles.
                    if let last, position < last {
                        throw .corrupt("the log lines of task \(task) are out of order", at: nil)
                    }
                    if position != last {
                        chunk.append(try RowCodec.logLine(of: task, at: position, from: value))
                        budget -= value.count
                    }
                    last = position
                    row = try cursor.move(.next)
                }
            }
            for line in chunk {
                guard try body(line) else { return }
            }
        } while !chunk.isEmpty
    }
}

extension ReadTransaction {
    /// Refuses a gap between two events unless the commits say that what was there is gone, or was never taken along.
    fileprivate func checkGap(
        after last: SequenceNumber, before number: SequenceNumber, _ tables: Tables
    ) throws(LogError) {
        let commits = try cursor(tables.commits)
        var next = last.next
        var row = try withUnsafeBytes(of: RowKey.number(next)) { key throws(LogError) in try commits.seek(key) }
        while next < number, let (key, value) = row {
            let commit = try RowCodec.commit(last: try RowKey.number(from: key), from: value)
            if commit.first > next, commit.previous == nil { break }
            next = commit.firstPresent(from: next)
            guard next > commit.last else { break }
            row = try commits.move(.next)
        }
        // The event itself may be one that the commits would miss: then it is there all the same.
        guard next >= number else { throw .corrupt("the event after \(last) is missing", at: next) }
    }
}

extension Cursor {
    /// An event that another one, or its task's summary, names.
    fileprivate func event(_ number: SequenceNumber) throws(LogError) -> UnsafeRawBufferPointer {
        let bytes = try withUnsafeBytes(of: RowKey.number(number)) { key throws(LogError) in try find(key) }
        guard let bytes else { throw .corrupt("the event is missing, though others name it", at: number) }
        return bytes
    }
}
