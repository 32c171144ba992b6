package import StepwellModel

extension StoreQueries {
    package func task(_ id: TaskID) throws(LogError) -> TaskSummary? {
        let tasks = environment.tables.tasks
        return try environment.read { transaction throws(LogError) in try transaction.task(id, in: tasks) }
    }

    package func task(namespace: String, name: String, key: String) throws(LogError) -> TaskID? {
        let keys = environment.tables.keys
        let identity = RowKey.identity(namespace: namespace, name: name, key: key)
        return try environment.read { transaction throws(LogError) in
            try identity.withRawBytes { identity throws(LogError) in
                guard let value = try transaction.get(keys, identity) else { return nil }
                guard let id = RowKey.id(from: value) else {
                    throw LogError.corrupt("a task's id is not 16 bytes long", at: nil)
                }
                return id
            }
        }
    }

    package func openTasks() throws(LogError) -> [TaskSummary] {
        let tables = environment.tables
        return try environment.read { transaction throws(LogError) in
            let cursor = try transaction.cursor(tables.open)
            var found: [TaskSummary] = []
            var row = try cursor.move(.first)
            while let (key, _) = row {
                found.append(try transaction.task(named: key, in: tables.tasks))
                row = try cursor.move(.next)
            }
            return found
        }
    }

    package func tasks(idPrefix: String, limit: Int) throws(LogError) -> [TaskSummary] {
        guard let prefix = TaskIDPrefix(idPrefix) else { return [] }
        let tasks = environment.tables.tasks
        return try environment.read { transaction throws(LogError) in
            let cursor = try transaction.cursor(tasks)
            var found: [TaskSummary] = []
            var row = try withUnsafeBytes(of: RowKey.id(prefix.first)) { key throws(LogError) in
                try cursor.seek(key)
            }
            while let (key, value) = row, found.count < limit {
                guard let id = RowKey.id(from: key) else {
                    throw LogError.corrupt("a task's id is not 16 bytes long", at: nil)
                }
                guard id <= prefix.last else { break }
                found.append(try RowCodec.task(id, from: value))
                row = try cursor.move(.next)
            }
            return found
        }
    }

    /// Goes from one (namespace, name, state) to the next, takes the newest ids of those that match, and then the newest of all.
    package func tasks(matching filter: TaskFilter, limit: Int) throws(LogError) -> [TaskSummary] {
        guard limit > 0 else { return [] }
        let tables = environment.tables
        // The name has its place in the key only behind the namespace.
        let prefix = filter.namespace.map { RowKey.byStatePrefix(namespace: $0, name: filter.name) } ?? []
        return try environment.read { transaction throws(LogError) in
            let cursor = try transaction.cursor(tables.byState)
            var newest: [(time: UInt64, id: TaskID)] = []
            var start = prefix
            while let (key, _) = try start.isEmpty
                ? cursor.move(.first) : start.withRawBytes({ key throws(LogError) in try cursor.seek(key) })
            {
                guard let group = StateGroup(key) else {
                    throw LogError.corrupt("a key of by_state is malformed", at: nil)
                }
                guard group.bytes.starts(with: prefix) else { break }
                let end = group.bytes + [UInt8](repeating: 0xFF, count: RowKey.byStateTail)
                start = end
                guard group.matches(filter) else { continue }
                var row: Cursor.Row?
                if try end.withRawBytes({ key throws(LogError) in try cursor.seek(key) }) != nil {
                    row = try cursor.move(.previous)
                } else {
                    row = try cursor.move(.last)
                }
                var taken = 0
                while let (key, _) = row, taken < limit, key.dropLast(RowKey.byStateTail).elementsEqual(group.bytes) {
                    let tail = key.count - RowKey.byStateTail
                    let id = TaskID(high: key.bigEndian(at: tail + 8), low: key.bigEndian(at: tail + 16))
                    newest.append((key.bigEndian(at: tail), id))
                    taken += 1
                    row = try cursor.move(.previous)
                }
            }
            newest.sort { ($0.time, $0.id) > ($1.time, $1.id) }
            var found: [TaskSummary] = []
            for entry in newest.prefix(limit) {
                found.append(
                    try withUnsafeBytes(of: RowKey.id(entry.id)) { key throws(LogError) in
                        try transaction.task(named: key, in: tables.tasks)
                    })
            }
            return found
        }
    }
}

/// The part of a key of `by_state` that its tasks have in common.
private struct StateGroup {
    /// Namespace, 0, name, 0, state.
    let bytes: [UInt8]

    init?(_ key: UnsafeRawBufferPointer) {
        guard key.count > RowKey.byStateTail + 2 else { return nil }
        bytes = Array(key.dropLast(RowKey.byStateTail))
    }

    func matches(_ filter: TaskFilter) -> Bool {
        if let state = filter.state, bytes.last != state.rawValue { return false }
        guard let name = filter.name else { return true }
        return bytes.dropLast(2).drop { $0 != 0 }.dropFirst().elementsEqual(RowKey.byStateName(name))
    }
}

extension ReadTransaction {
    fileprivate func task(_ id: TaskID, in tasks: Table) throws(LogError) -> TaskSummary? {
        try withUnsafeBytes(of: RowKey.id(id)) { key throws(LogError) in
            guard let value = try get(tasks, key) else { return nil }
            return try RowCodec.task(id, from: value)
        }
    }

    /// The task that a row of an index names.
    fileprivate func task(named key: UnsafeRawBufferPointer, in tasks: Table) throws(LogError) -> TaskSummary {
        guard let id = RowKey.id(from: key), let task = try task(id, in: tasks) else {
            throw .corrupt("an index names a task that is not there", at: nil)
        }
        return task
    }
}
