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
    /// The closed tasks that have ended before a time and may leave, those first that ended first. A task stays when others have
    /// its identity key and stay, since the key names it and must not name an older one.
    package func prunableTasks(endedBefore time: Timestamp) throws(LogError) -> [TaskSummary] {
        let tables = environment.tables
        return try environment.read { transaction throws(LogError) in
            var found: [TaskSummary] = []
            var kept: Set<[UInt8]> = []
            let cursor = try transaction.cursor(tables.tasks)
            var row = try cursor.move(.first)
            while let (key, value) = row {
                guard let id = RowKey.id(from: key) else {
                    throw LogError.corrupt("a task's id is not 16 bytes long", at: nil)
                }
                let task = try RowCodec.task(id, from: value)
                if task.state.isClosed, task.changed < time {
                    found.append(task)
                } else if let identity = task.identity {
                    kept.insert(identity)
                }
                row = try cursor.move(.next)
            }
            if !kept.isEmpty {
                var free: [TaskSummary] = []
                for task in found {
                    guard let identity = task.identity, kept.contains(identity) else {
                        free.append(task)
                        continue
                    }
                    let owner = try identity.withRawBytes { key throws(LogError) in
                        try transaction.get(tables.keys, key)
                    }
                    if owner.flatMap({ RowKey.id(from: $0) }) != task.id { free.append(task) }
                }
                found = free
            }
            return found.sorted { $0.last < $1.last }
        }
    }

    /// Takes tasks out with all that is theirs, and records it, in one transaction: all of it or nothing.
    /// - Returns: how many events have gone.
    package func prune(_ step: PruningStep) throws(LogError) -> Int {
        let head = try currentHead()
        var gone = 0
        try environment.write(size: 1 << 20) { transaction in
            let numbers = try remove(step.tasks, transaction)
            gone = numbers.count
            try record(step, eventCount: gone, after: head, transaction)
            try countAbsent(transaction)
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

    // MARK: Events

    /// - Returns: the numbers of the events that have gone.
    private func remove(_ ids: [TaskID], _ transaction: borrowing WriteTransaction) throws -> [SequenceNumber] {
        let tables = environment.tables
        var numbers: [SequenceNumber] = []
        var rows = RowWriter()
        for id in ids {
            guard let task = try transaction.task(id, tables) else { continue }
            var next = task.last
            while next > .zero {
                numbers.append(next)
                next = try withUnsafeBytes(of: RowKey.number(next)) { key in
                    guard let event = try transaction.get(tables.events, key) else {
                        throw LogError.corrupt("the event is missing, though others name it", at: next)
                    }
                    let previous = try EventCodec.previous(event, number: next)
                    guard previous < next else {
                        throw LogError.corrupt("its task's event before it is later", at: next)
                    }
                    return previous
                }
            }
            try rows.remove(task, in: transaction, tables)
        }
        numbers.sort()
        for commit in try commits(of: numbers, without: Set(ids), transaction) {
            try rows.put(commit, in: transaction, tables)
        }
        for number in numbers {
            try withUnsafeBytes(of: RowKey.number(number)) { try transaction.delete(tables.events, $0) }
        }
        return numbers
    }

    /// The commits that have the events, as they are when the tasks are gone.
    private func commits(
        of numbers: [SequenceNumber], without tasks: Set<TaskID>, _ transaction: borrowing WriteTransaction
    ) throws -> [Commit] {
        let tables = environment.tables
        let rows = try transaction.cursor(tables.commits)
        let events = try transaction.cursor(tables.events)
        var found: [Commit] = []
        for number in numbers {
            if let last = found.last?.last, number <= last { continue }
            guard let row = try withUnsafeBytes(of: RowKey.number(number), { try rows.seek($0) }), row.key.count == 8
            else {
                throw LogError.corrupt("the event belongs to no commit", at: number)
            }
            var commit = try RowCodec.commit(last: SequenceNumber(row.key.bigEndian(at: 0)), from: row.value)
            var stored: [StoredEvent] = []
            var event = try withUnsafeBytes(of: RowKey.number(commit.first)) { try events.seek($0) }
            while let (key, value) = event, key.count == 8, key.bigEndian(at: 0) <= commit.last.rawValue {
                stored.append(StoredEvent(number: SequenceNumber(key.bigEndian(at: 0)), bytes: value))
                event = try events.move(.next)
            }
            commit.runs = try commit.runs(of: stored) { run, _ in run.task.map { !tasks.contains($0) } ?? true }
            found.append(commit)
        }
        return found
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

extension TaskSummary {
    /// The row of its identity key, if it has one.
    fileprivate var identity: [UInt8]? { key.map { RowKey.identity(namespace: namespace, name: name, key: $0) } }
}

extension WriteTransaction {
    fileprivate func task(_ id: TaskID, _ tables: Tables) throws -> TaskSummary? {
        try withUnsafeBytes(of: RowKey.id(id)) { key in
            try get(tables.tasks, key).map { try RowCodec.task(id, from: $0) }
        }
    }
}
