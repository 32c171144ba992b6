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

    package func tasks(matching filter: TaskFilter, limit: Int) throws(LogError) -> [TaskSummary] {
        let tables = environment.tables
        return try environment.read { transaction throws(LogError) in
            var found: [TaskSummary] = []
            for entry in try transaction.newest(filter, limit, tables) {
                found.append(
                    try withUnsafeBytes(of: RowKey.id(entry.id)) { key throws(LogError) in
                        try transaction.task(named: key, in: tables.tasks)
                    })
            }
            return found
        }
    }

    /// For each namespace and name the newest task with that key, newest first, by the index of keys.
    package func tasks(key: String) throws(LogError) -> [TaskSummary] {
        let tables = environment.tables
        return try environment.read { transaction throws(LogError) in
            var found: [TaskSummary] = []
            var last: (namespace: String, name: String)?
            try transaction.forEachGroup([], tables) { group, _ throws(LogError) in
                // The states of a name follow each other.
                let first = try transaction.task(named: group.firstID, in: tables.tasks)
                if let last, last == (first.namespace, first.name) { return }
                last = (first.namespace, first.name)
                let identity = RowKey.identity(namespace: first.namespace, name: first.name, key: key)
                let owner = try identity.withRawBytes { key throws(LogError) in try transaction.get(tables.keys, key) }
                if let owner { found.append(try transaction.task(named: owner, in: tables.tasks)) }
            }
            return found.sorted { ($0.submitted, $0.id) > ($1.submitted, $1.id) }
        }
    }

    /// Forks of a task, newest first, among so many of the newest tasks of its namespace and name.
    package func forks(of task: TaskSummary, among limit: Int) throws(LogError) -> [TaskID] {
        let tables = environment.tables
        let filter = TaskFilter(namespace: task.namespace, name: task.name)
        return try environment.read { transaction throws(LogError) in
            var forks: [TaskID] = []
            for entry in try transaction.newest(filter, limit, tables) {
                // A fork is younger than its origin.
                guard entry.submitted >= task.submitted else { break }
                let row = try withUnsafeBytes(of: RowKey.id(entry.id)) { key throws(LogError) in
                    try transaction.get(tables.tasks, key)
                }
                if let row, try RowCodec.forkedFrom(entry.id, from: row) == task.id { forks.append(entry.id) }
            }
            return forks
        }
    }
}

/// The part of a key of `by_state` that its tasks have in common.
private struct StateGroup {
    /// Namespace, 0, name, 0, state.
    let bytes: [UInt8]
    /// Of its oldest task.
    let firstID: UnsafeRawBufferPointer

    init?(_ key: UnsafeRawBufferPointer) {
        guard key.count > RowKey.byStateTail + 2 else { return nil }
        bytes = Array(key.dropLast(RowKey.byStateTail))
        firstID = UnsafeRawBufferPointer(rebasing: key.suffix(16))
    }

    /// Behind its last row.
    var end: [UInt8] { bytes + [UInt8](repeating: 0xFF, count: RowKey.byStateTail) }

    func matches(_ filter: TaskFilter) -> Bool {
        if let state = filter.state, bytes.last != state.rawValue { return false }
        guard let name = filter.name else { return true }
        return bytes.dropLast(2).drop { $0 != 0 }.dropFirst().elementsEqual(RowKey.byStateName(name))
    }
}

extension TaskPlace {
    /// The end of a key of `by_state`.
    fileprivate var keyBytes: [UInt8] {
        var bytes: [UInt8] = []
        for part in [UInt64(bitPattern: submitted.milliseconds), id.high, id.low] {
            withUnsafeBytes(of: part.bigEndian) { bytes += $0 }
        }
        return bytes
    }
}

extension ReadTransaction {
    fileprivate func task(_ id: TaskID, in tasks: Table) throws(LogError) -> TaskSummary? {
        try withUnsafeBytes(of: RowKey.id(id)) { key throws(LogError) in
            guard let value = try get(tasks, key) else { return nil }
            return try RowCodec.task(id, from: value)
        }
    }

    /// Goes from one (namespace, name, state) that has tasks to the next, within those whose keys begin with `prefix`.
    fileprivate func forEachGroup(
        _ prefix: [UInt8], _ tables: Tables, _ body: (StateGroup, borrowing Cursor) throws(LogError) -> Void
    ) throws(LogError) {
        let cursor = try cursor(tables.byState)
        var start = prefix
        while let (key, _) = try start.isEmpty
            ? cursor.move(.first) : start.withRawBytes({ key throws(LogError) in try cursor.seek(key) })
        {
            guard let group = StateGroup(key), start.lexicographicallyPrecedes(group.end) else {
                throw .corrupt("a key of by_state is malformed", at: nil)
            }
            guard group.bytes.starts(with: prefix) else { return }
            start = group.end
            try body(group, cursor)
        }
    }

    /// The tasks that match, newest first: the newest of each (namespace, name, state), and then the newest of all.
    fileprivate func newest(
        _ filter: TaskFilter, _ limit: Int, _ tables: Tables
    ) throws(LogError) -> ArraySlice<(submitted: Timestamp, id: TaskID)> {
        var newest: [(submitted: Timestamp, id: TaskID)] = []
        // The name has its place in the key only behind the namespace.
        let prefix = filter.namespace.map { RowKey.byStatePrefix(namespace: $0, name: filter.name) } ?? []
        try forEachGroup(prefix, tables) { group, cursor throws(LogError) in
            guard group.matches(filter) else { return }
            let end = filter.before.map { group.bytes + $0.keyBytes } ?? group.end
            let next = try end.withRawBytes { key throws(LogError) in try cursor.seek(key) }
            var row = try cursor.move(next == nil ? .last : .previous)
            var taken = 0
            while let (key, _) = row, taken < limit, key.dropLast(RowKey.byStateTail).elementsEqual(group.bytes) {
                newest.append(try RowKey.byStatePlace(from: key))
                taken += 1
                row = try cursor.move(.previous)
            }
        }
        newest.sort { ($0.submitted, $0.id) > ($1.submitted, $1.id) }
        return newest.prefix(max(0, limit))
    }

    /// The task that a row of an index names.
    fileprivate func task(named key: UnsafeRawBufferPointer, in tasks: Table) throws(LogError) -> TaskSummary {
        guard let id = RowKey.id(from: key), let task = try task(id, in: tasks) else {
            throw .corrupt("an index names a task that is not there", at: nil)
        }
        return task
    }
}
