import StepwellModel

/// What a writer keeps from one batch to the next: the end of the log, and memory that is used again. It holds the engine's lock
/// until it ends.
struct LMDBWriter: ~Copyable {
    private(set) var head: LogHead
    private var lock: EngineLock?
    private var hasEnded = false
    private var batch = EncodedBatch()
    private var rows = RowWriter()

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
        size += (batch.limits.count + batch.limitsGone.count) * 64
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
            if let number = batch.registered { try transaction.putRegistered(number, environment.tables) }
            try transaction.putLimits(batch.limits, gone: batch.limitsGone, environment.tables)
            for snapshot in batch.snapshots { try rows.put(snapshot, in: transaction, environment.tables) }
            for task in batch.tasks { try rows.put(task, in: transaction, environment.tables) }
            for line in batch.logLines { try rows.put(line, in: transaction, environment.tables) }
            if !batch.pruned.isEmpty {
                _ = try environment.remove(batch.pruned, transaction)
                try environment.countAbsent(transaction)
            }
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
        let commit = Commit(
            first: head.number.next, last: next.number, time: next.time, hash: next.hash, form: .runs)
        try rows.append(commit, in: transaction, tables)
    }
}
