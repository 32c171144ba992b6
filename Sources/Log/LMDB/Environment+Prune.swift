import StepwellModel

extension Environment {
    /// Takes tasks out with all that is theirs.
    /// - Returns: the numbers of the events that have gone.
    func remove(_ ids: [TaskID], _ transaction: borrowing WriteTransaction) throws -> [SequenceNumber] {
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
        let rows = try transaction.cursor(tables.commits)
        let events = try transaction.cursor(tables.events)
        var found: [Commit] = []
        for number in numbers {
            if let last = found.last?.last, number <= last { continue }
            guard let row = try withUnsafeBytes(of: RowKey.number(number), { try rows.seek($0) }) else {
                throw LogError.corrupt("the event belongs to no commit", at: number)
            }
            var commit = try RowCodec.commit(last: RowKey.number(from: row.key), from: row.value)
            var stored: [StoredEvent] = []
            var event = try withUnsafeBytes(of: RowKey.number(commit.first)) { try events.seek($0) }
            while let (key, value) = event {
                let number = try RowKey.number(from: key)
                guard number <= commit.last else { break }
                stored.append(StoredEvent(number: number, bytes: value))
                event = try events.move(.next)
            }
            commit.runs = try commit.runs(of: stored) { run, _ in run.task.map { !tasks.contains($0) } ?? true }
            found.append(commit)
        }
        return found
    }

    /// Notes how many events are not there, of all up to the last commit.
    func countAbsent(_ transaction: borrowing WriteTransaction) throws {
        let last: SequenceNumber = try {
            let commits = try transaction.cursor(tables.commits)
            return try commits.move(.last).map { try RowKey.number(from: $0.key) } ?? .zero
        }()
        let count = UInt64(try transaction.count(tables.events))
        guard count <= last.rawValue else {
            throw LogError.corrupt("the log ends at \(last), but has \(count) events", at: last)
        }
        let absent = last.rawValue - count
        guard absent > 0 else { return try transaction.delete(tables.meta, StoreInfo.absentKey.bytes) }
        var writer = CBORWriter()
        writer.unsigned(absent)
        try transaction.put(tables.meta, StoreInfo.absentKey, writer.bytes)
    }
}

extension WriteTransaction {
    fileprivate func task(_ id: TaskID, _ tables: Tables) throws -> TaskSummary? {
        try withUnsafeBytes(of: RowKey.id(id)) { key in
            try get(tables.tasks, key).map { try RowCodec.task(id, from: $0) }
        }
    }
}
