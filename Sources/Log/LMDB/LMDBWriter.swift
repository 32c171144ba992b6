import StepwellModel

/// What a writer keeps from one batch to the next: the end of the log, and memory that is used again. It holds the engine's lock
/// until it ends.
struct LMDBWriter: ~Copyable {
    private(set) var head: LogHead
    private var lock: EngineLock?
    private var hasEnded = false
    private var batch = EncodedBatch()
    private var value = CBORWriter()
    private var key: [UInt8] = []

    init(head: LogHead, lock: consuming EngineLock) {
        self.head = head
        self.lock = consume lock
    }

    mutating func end() {
        hasEnded = true
        lock = nil
    }

    mutating func append(_ batch: LogBatch, to environment: Environment) throws(LogError) {
        guard !hasEnded else { throw .notWritable(path: environment.path, reason: "this engine has given it back") }
        let next = try self.batch.encode(batch.events, after: head)
        guard !batch.isEmpty || !batch.tasks.isEmpty || !batch.templates.isEmpty else { return }
        // About what the other tables take; it only decides by how much the map grows.
        var size = self.batch.bytes.count + batch.tasks.count * 512 + batch.events.count * 64
        for template in batch.templates { size += template.bytes.count }
        for snapshot in batch.snapshots { size += snapshot.bytes.count }
        for line in batch.logLines { size += line.text.utf8.count + 64 }

        // The closure may run twice, and starts anew each time; it changes nothing but buffers.
        try environment.write(size: size) { transaction in
            try putEvents(next, in: transaction, environment.tables)
            for template in batch.templates {
                try template.digest.bytes.withRawBytes { key in
                    try template.bytes.withRawBytes { try transaction.insert(environment.tables.templates, key, $0) }
                }
            }
            try putSnapshots(batch.snapshots, in: transaction, environment.tables)
            for task in batch.tasks { try put(task, in: transaction, environment.tables) }
            for line in batch.logLines { try put(line, in: transaction, environment.tables) }
        }
        head = next
    }

    // MARK: Events

    private mutating func putEvents(
        _ next: LogHead, in transaction: borrowing WriteTransaction, _ tables: Tables
    ) throws {
        guard batch.count > 0 else { return }
        let events = try transaction.cursor(tables.events)
        var number = head.number
        try batch.forEach { event throws(LMDBError) in
            number = number.next
            try withUnsafeBytes(of: RowKey.number(number)) { key throws(LMDBError) in try events.append(key, event) }
        }
        value.removeAll()
        let commit = Commit(
            first: head.number.next, last: next.number, time: next.time, hash: next.hash, form: .runs)
        RowCodec.encode(commit, into: &value)
        let commits = try transaction.cursor(tables.commits)
        try withUnsafeBytes(of: RowKey.number(next.number)) { key in
            try value.bytes.withRawBytes { try commits.append(key, $0) }
        }
    }

    // MARK: Tasks and their indexes

    private mutating func put(
        _ task: TaskSummary, in transaction: borrowing WriteTransaction, _ tables: Tables
    ) throws {
        try withUnsafeBytes(of: RowKey.id(task.id)) { id in
            let before = try transaction.get(tables.tasks, id).map { row in try RowCodec.state(of: task.id, from: row) }
            value.removeAll()
            RowCodec.encode(task, into: &value)
            try value.bytes.withRawBytes { try transaction.put(tables.tasks, id, $0) }

            if before == nil, let key = task.key {
                let identity = RowKey.identity(namespace: task.namespace, name: task.name, key: key)
                try identity.withRawBytes { try transaction.put(tables.keys, $0, id) }
            }
            let wasOpen = before.map { !$0.0.isClosed } ?? false
            if task.state.isClosed {
                // The snapshot may be of this batch, and then the task was never in the table of the open ones.
                try transaction.delete(tables.snapshots, id)
                if wasOpen { try transaction.delete(tables.open, id) }
            } else if !wasOpen {
                try transaction.put(tables.open, id, UnsafeRawBufferPointer(start: nil, count: 0))
            }
            if let before {
                guard before != (task.state, task.submitted) else { return }
                RowKey.byState(task, state: before.0, submitted: before.1, into: &key)
                try key.withRawBytes { try transaction.delete(tables.byState, $0) }
            }
            RowKey.byState(task, state: task.state, submitted: task.submitted, into: &key)
            try key.withRawBytes {
                try transaction.put(tables.byState, $0, UnsafeRawBufferPointer(start: nil, count: 0))
            }
        }
    }

    // MARK: Beside the events

    private mutating func putSnapshots(
        _ snapshots: [TaskSnapshotBytes], in transaction: borrowing WriteTransaction, _ tables: Tables
    ) throws {
        for snapshot in snapshots {
            value.removeAll()
            withUnsafeBytes(of: RowKey.number(snapshot.number)) { value.bytes.append(contentsOf: $0) }
            value.bytes.append(contentsOf: snapshot.bytes)
            try withUnsafeBytes(of: RowKey.id(snapshot.task)) { id in
                try value.bytes.withRawBytes { try transaction.put(tables.snapshots, id, $0) }
            }
        }
    }

    private mutating func put(
        _ line: LogLine, in transaction: borrowing WriteTransaction, _ tables: Tables
    ) throws {
        RowKey.logLine(line.task, LogLinePosition(lease: line.lease, number: line.number), into: &key)
        value.removeAll()
        RowCodec.encode(line, into: &value)
        try key.withRawBytes { key in
            try value.bytes.withRawBytes { try transaction.put(tables.logs, key, $0) }
        }
    }
}
