package import StepwellModel

/// What one transaction of pruning takes out, and what is written about it.
package struct PruningStep: Sendable {
    /// Closed tasks.
    package var tasks: [TaskID]
    /// They had ended before this time.
    package var before: Timestamp
    package var reason: String?
    package var actor: Actor
    /// The present time.
    package var now: Timestamp

    package init(tasks: [TaskID], before: Timestamp, reason: String?, actor: Actor, now: Timestamp) {
        self.tasks = tasks
        self.before = before
        self.reason = reason
        self.actor = actor
        self.now = now
    }
}

extension StoreEditor {
    /// Takes tasks out with all that is theirs, and records it, in one transaction: all of it or nothing.
    /// - Returns: how many events have gone.
    package func prune(_ step: PruningStep) throws(LogError) -> Int {
        let head = try currentHead()
        var gone = 0
        try environment.write(size: 1 << 20) { transaction in
            let numbers = try environment.remove(step.tasks, transaction)
            gone = numbers.count
            try record(step, eventCount: gone, after: head, transaction)
            try environment.countAbsent(transaction)
        }
        return gone
    }

    /// Takes out templates that no task has.
    /// - Returns: how many.
    package func pruneTemplates() throws(LogError) -> Int {
        let tables = environment.tables
        // Tasks of these may still be submitted.
        let registered: [TemplateRegistration]
        do { registered = try registrations() } catch let error as LogError { throw error } catch {
            throw .corrupt("\(error)", at: nil)
        }
        let unused = try environment.read { transaction throws(LogError) in
            var unused: Set<[UInt8]> = []
            let templates = try transaction.cursor(tables.templates)
            var row = try templates.move(.first)
            while let (key, _) = row {
                unused.insert(Array(key))
                row = try templates.move(.next)
            }
            for registration in registered { unused.remove(registration.template.bytes) }
            let tasks = try transaction.cursor(tables.tasks)
            row = try tasks.move(.first)
            while let (key, value) = row, !unused.isEmpty {
                guard let id = RowKey.id(from: key) else {
                    throw LogError.corrupt("a task's id is not 16 bytes long", at: nil)
                }
                unused.remove(try RowCodec.task(id, from: value).template.bytes)
                row = try tasks.move(.next)
            }
            return unused
        }
        guard !unused.isEmpty else { return 0 }
        try environment.write(size: 4096) { transaction in
            for digest in unused { try digest.withRawBytes { try transaction.delete(tables.templates, $0) } }
        }
        return unused.count
    }

    private func record(
        _ step: PruningStep, eventCount: Int, after head: LogHead, _ transaction: borrowing WriteTransaction
    ) throws {
        let tables = environment.tables
        let event = Event.storePruned(
            StorePruning(taskCount: step.tasks.count, eventCount: eventCount, before: step.before, reason: step.reason))
        let record = EventRecord(
            number: head.number.next, task: nil, taskNumber: 0, previous: .zero, time: max(step.now, head.time),
            actor: step.actor, cause: .zero, event: event)
        var batch = EncodedBatch()
        let next = try batch.encode([record], after: head)
        try withUnsafeBytes(of: RowKey.number(next.number)) { key in
            try batch.bytes.withRawBytes { try transaction.put(tables.events, key, $0) }
        }
        var rows = RowWriter()
        try rows.append(
            Commit(first: next.number, last: next.number, time: next.time, hash: next.hash, form: .runs),
            in: transaction,
            tables)
    }
}
