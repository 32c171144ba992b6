import StepwellModel

extension WriteTransaction {
    /// Notes the last registration of a template.
    func putRegistered(_ number: SequenceNumber, _ tables: Tables) throws(LMDBError) {
        var writer = CBORWriter()
        writer.unsigned(number.rawValue)
        try put(tables.meta, StoreInfo.registeredKey, writer.bytes)
    }
}

/// Writes the rows beside the events, and keeps the indexes in step with the tasks. Holds memory that is used again.
struct RowWriter {
    private var value = CBORWriter()
    private var key: [UInt8] = []

    /// Adds a commit behind all others.
    mutating func append(_ commit: Commit, in transaction: borrowing WriteTransaction, _ tables: Tables) throws {
        value.removeAll()
        RowCodec.encode(commit, into: &value)
        let commits = try transaction.cursor(tables.commits)
        try withUnsafeBytes(of: RowKey.number(commit.last)) { key in
            try value.bytes.withRawBytes { try commits.append(key, $0) }
        }
    }

    /// Writes a commit anew, or between others.
    mutating func put(_ commit: Commit, in transaction: borrowing WriteTransaction, _ tables: Tables) throws {
        value.removeAll()
        RowCodec.encode(commit, into: &value)
        try withUnsafeBytes(of: RowKey.number(commit.last)) { key in
            try value.bytes.withRawBytes { try transaction.put(tables.commits, key, $0) }
        }
    }

    // MARK: Tasks and their indexes

    mutating func put(
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

    /// Takes out a task's summary, its place in the indexes, its snapshot and its log lines. The events are the caller's.
    mutating func remove(_ task: TaskSummary, in transaction: borrowing WriteTransaction, _ tables: Tables) throws {
        try withUnsafeBytes(of: RowKey.id(task.id)) { id in
            RowKey.byState(task, state: task.state, submitted: task.submitted, into: &key)
            try key.withRawBytes { try transaction.delete(tables.byState, $0) }
            if let key = task.key {
                let identity = RowKey.identity(namespace: task.namespace, name: task.name, key: key)
                try identity.withRawBytes { key in
                    let owner = try transaction.get(tables.keys, key).flatMap { RowKey.id(from: $0) }
                    if owner == task.id { try transaction.delete(tables.keys, key) }
                }
            }
            try transaction.delete(tables.open, id)
            try transaction.delete(tables.snapshots, id)
            try transaction.delete(tables.tasks, id)
        }
        RowKey.logLine(task.id, LogLinePosition(lease: .zero, number: 0), into: &key)
        // One after the other: a deletion ends what a cursor has seen.
        while let line = try nextLine(transaction, tables), line.starts(with: task.id.bytes) {
            try line.withRawBytes { try transaction.delete(tables.logs, $0) }
        }
    }

    private func nextLine(_ transaction: borrowing WriteTransaction, _ tables: Tables) throws -> [UInt8]? {
        let cursor = try transaction.cursor(tables.logs)
        return try key.withRawBytes { try cursor.seek($0) }.map { Array($0.key) }
    }

    // MARK: Beside the events

    mutating func put(
        _ snapshot: TaskSnapshotBytes, in transaction: borrowing WriteTransaction, _ tables: Tables
    ) throws {
        value.removeAll()
        withUnsafeBytes(of: RowKey.number(snapshot.number)) { value.bytes.append(contentsOf: $0) }
        value.bytes.append(contentsOf: snapshot.bytes)
        try withUnsafeBytes(of: RowKey.id(snapshot.task)) { id in
            try value.bytes.withRawBytes { try transaction.put(tables.snapshots, id, $0) }
        }
    }

    mutating func put(
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
