package import StepwellModel

/// All of a store as it was at one moment, for whoever goes through it row by row. An engine may go on writing meanwhile; the pages
/// that the view sees are not used again as long as it lasts.
package struct StoreView: ~Copyable {
    let transaction: ReadTransaction
    let environment: Environment
    var tables: Tables { environment.tables }

    fileprivate init(_ transaction: consuming ReadTransaction, _ environment: Environment) {
        self.transaction = transaction
        self.environment = environment
    }

    // MARK: The log

    package func head() throws(LogError) -> LogHead { try environment.head(transaction) }

    /// How many events the store lacks.
    package func absentCount() throws(LogError) -> UInt64 { try StoreInfo.absent(transaction, environment) }

    /// The commit that holds the event, or the first one after it.
    package func commit(holding number: SequenceNumber) throws(LogError) -> Commit? {
        let cursor = try transaction.cursor(tables.commits)
        let row = try withUnsafeBytes(of: RowKey.number(number)) { key throws(LogError) in try cursor.seek(key) }
        return try row.map { row throws(LogError) in try Self.commit(row) }
    }

    /// Goes through the commits whose events are after `number`, oldest first, until `body` returns false: each with the events of
    /// it that the store has. Their bytes are valid only in the call.
    ///
    /// - Throws: ``LogError`` when an event or a commit is missing that should be there, and what `body` throws.
    package func commits(
        after number: SequenceNumber, _ body: (Commit, _ events: [StoredEvent]) throws -> Bool
    ) throws {
        let commits = try transaction.cursor(tables.commits)
        let events = try transaction.cursor(tables.events)
        var last = number
        var found: [StoredEvent] = []
        var row = try withUnsafeBytes(of: RowKey.number(number.next)) { try commits.seek($0) }
        var event = try withUnsafeBytes(of: RowKey.number(number.next)) { try events.seek($0) }
        while let present = row {
            let commit = try Self.commit(present)
            guard commit.first == last.next || commit.previous != nil && commit.first > last
            else { throw LogError.corrupt("the commit after event \(last) is missing", at: last.next) }
            last = commit.last
            found.removeAll(keepingCapacity: true)
            while let (key, value) = event {
                let number = try RowKey.number(from: key)
                guard number <= last else { break }
                found.append(StoredEvent(number: number, bytes: value))
                event = try events.move(.next)
            }
            if let first = found.first?.number, first < commit.first {
                throw LogError.corrupt("the event belongs to no commit", at: first)
            }
            try commit.check(found)
            guard try body(commit, found) else { return }
            row = try commits.move(.next)
        }
        if event != nil { throw LogError.corrupt("the event belongs to no commit", at: last.next) }
    }

    private static func commit(_ row: Cursor.Row) throws(LogError) -> Commit {
        try RowCodec.commit(last: try RowKey.number(from: row.key), from: row.value)
    }

    // MARK: What is derived

    package func task(_ id: TaskID) throws(LogError) -> TaskSummary? {
        try row(tables.tasks, id) { value throws(LogError) in try RowCodec.task(id, from: value) }
    }

    package func isListedAsOpen(_ id: TaskID) throws(LogError) -> Bool {
        try row(tables.open, id) { _ in true } ?? false
    }

    /// Whether the index by name and state has the task where it belongs.
    package func isListedByState(_ task: TaskSummary) throws(LogError) -> Bool {
        var key: [UInt8] = []
        RowKey.byState(task, state: task.state, submitted: task.submitted, into: &key)
        return try key.withRawBytes { key throws(LogError) in try transaction.get(tables.byState, key) } != nil
    }

    /// The task that has the identity key, as the index says.
    package func owner(namespace: String, name: String, key: String) throws(LogError) -> TaskID? {
        let identity = RowKey.identity(namespace: namespace, name: name, key: key)
        return try identity.withRawBytes { identity throws(LogError) in
            try transaction.get(tables.keys, identity).flatMap { RowKey.id(from: $0) }
        }
    }

    /// How many rows the derived tables have.
    package func counts() throws(LogError) -> (tasks: Int, open: Int, byState: Int, keys: Int) {
        (
            try transaction.count(tables.tasks), try transaction.count(tables.open),
            try transaction.count(tables.byState), try transaction.count(tables.keys)
        )
    }

    package func template(_ digest: TemplateDigest) throws(LogError) -> Template? {
        try digest.bytes.withRawBytes { key throws(LogError) in
            guard !key.isEmpty, let bytes = try transaction.get(tables.templates, key) else { return nil }
            return try TemplateCodec.decode(bytes, digest: digest)
        }
    }

    /// The digests under which templates are kept.
    package func templates() throws(LogError) -> [TemplateDigest] {
        let cursor = try transaction.cursor(tables.templates)
        var digests: [TemplateDigest] = []
        var row = try cursor.move(.first)
        while let (key, _) = row {
            digests.append(TemplateDigest(Array(key)))
            row = try cursor.move(.next)
        }
        return digests
    }

    package func snapshots() throws(LogError) -> [TaskSnapshotBytes] {
        let cursor = try transaction.cursor(tables.snapshots)
        var snapshots: [TaskSnapshotBytes] = []
        var row = try cursor.move(.first)
        while let (key, value) = row {
            guard let task = RowKey.id(from: key), value.count >= 8 else {
                throw .corrupt("a snapshot's row is too short", at: nil)
            }
            snapshots.append(
                TaskSnapshotBytes(
                    task: task, number: SequenceNumber(value.bigEndian(at: 0)), bytes: Array(value.dropFirst(8))))
            row = try cursor.move(.next)
        }
        return snapshots
    }

    private func row<Result>(
        _ table: Table, _ id: TaskID, _ body: (UnsafeRawBufferPointer) throws(LogError) -> Result
    ) throws(LogError) -> Result? {
        try withUnsafeBytes(of: RowKey.id(id)) { key throws(LogError) in
            guard let value = try transaction.get(table, key) else { return nil }
            return try body(value)
        }
    }
}

extension StoreQueries {
    /// Asks many questions of one moment. On the calling thread, which must not ask the store in another way meanwhile.
    package func view<Result>(_ body: (borrowing StoreView) throws -> Result) throws -> Result {
        let transaction = try environment.beginReading()
        defer { environment.endReading() }
        return try run(transaction, body)
    }

    /// A function of its own, so that the view has ended before the map may change.
    private func run<Result>(
        _ transaction: OpaquePointer, _ body: (borrowing StoreView) throws -> Result
    ) throws -> Result {
        let view = StoreView(ReadTransaction(transaction), environment)
        return try body(view)
    }
}
