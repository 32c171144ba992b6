package import StepwellModel

/// The closed tasks of a store that have ended before a time and may leave, found in portions: a large store needs no more memory than
/// a small one.
///
/// A task stays as long as an older one does that has its identity key: the key names the newer, and must not come to name none.
package struct PrunableTasks: Sendable {
    package let endedBefore: Timestamp
    /// Identity keys of tasks that stay though a newer one has their key. Few have.
    private let heldKeys: Set<[UInt8]>
    private var last: TaskID?

    /// Looks once at all tasks of the store.
    package init(endedBefore: Timestamp, in store: some StoreQueries) throws(LogError) {
        self.endedBefore = endedBefore
        let tables = store.environment.tables
        heldKeys = try store.environment.read { transaction throws(LogError) in
            var held: Set<[UInt8]> = []
            try transaction.forEachTask(after: nil, tables) { task throws(LogError) in
                guard !task.hasEnded(before: endedBefore), let identity = task.identity else { return true }
                if try transaction.owner(of: identity, tables) != task.id { held.insert(identity) }
                return true
            }
            return held
        }
    }

    /// The next of them, those first that were submitted first; none at the end.
    package mutating func next(_ countMax: Int, in store: some StoreQueries) throws(LogError) -> [TaskSummary] {
        var found: [TaskSummary] = []
        try forEach(after: last, in: store) { task in
            found.append(task)
            return found.count < countMax
        }
        last = found.last?.id ?? last
        return found
    }

    /// Those of some tasks that may leave.
    package func among(_ ids: [TaskID], in store: some StoreQueries) throws(LogError) -> [TaskSummary] {
        let tables = store.environment.tables
        return try store.environment.read { transaction throws(LogError) in
            var found: [TaskSummary] = []
            for id in Set(ids).sorted() {
                guard let task = try transaction.taskIfThere(id, tables), try mayLeave(task, transaction, tables) else {
                    continue
                }
                found.append(task)
            }
            return found
        }
    }

    /// How many they are, and how many events they have.
    package func count(in store: some StoreQueries) throws(LogError) -> (tasks: Int, events: Int) {
        var count = (tasks: 0, events: 0)
        try forEach(after: nil, in: store) { task in
            count.tasks += 1
            count.events += Int(task.eventCount)
            return true
        }
        return count
    }

    private func forEach(
        after: TaskID?, in store: some StoreQueries, _ body: (TaskSummary) -> Bool
    ) throws(LogError) {
        let tables = store.environment.tables
        try store.environment.read { transaction throws(LogError) in
            try transaction.forEachTask(after: after, tables) { task throws(LogError) in
                try mayLeave(task, transaction, tables) ? body(task) : true
            }
        }
    }

    private func mayLeave(
        _ task: TaskSummary, _ transaction: borrowing ReadTransaction, _ tables: Tables
    ) throws(LogError) -> Bool {
        guard task.hasEnded(before: endedBefore) else { return false }
        guard !heldKeys.isEmpty, let identity = task.identity, heldKeys.contains(identity) else { return true }
        return try transaction.owner(of: identity, tables) != task.id
    }
}

extension TaskSummary {
    fileprivate func hasEnded(before time: Timestamp) -> Bool { state.isClosed && changed < time }

    /// The row of its identity key, if it has one.
    fileprivate var identity: [UInt8]? { key.map { RowKey.identity(namespace: namespace, name: name, key: $0) } }
}

extension ReadTransaction {
    /// Hands over all tasks behind one, in the order of their ids, until `body` says false.
    fileprivate func forEachTask(
        after: TaskID?, _ tables: Tables, _ body: (TaskSummary) throws(LogError) -> Bool
    ) throws(LogError) {
        let cursor = try cursor(tables.tasks)
        var row =
            if let after {
                try withUnsafeBytes(of: RowKey.id(after)) { key throws(LogError) in try cursor.seek(key) }
            } else {
                try cursor.move(.first)
            }
        while let (key, value) = row {
            guard let id = RowKey.id(from: key) else {
                throw LogError.corrupt("a task's id is not 16 bytes long", at: nil)
            }
            // Pages in each other's places must not lead round in circles.
            if let after, id < after { throw LogError.corrupt("task \(id) stands behind \(after)", at: nil) }
            // It may have left meanwhile: then the row is the next one's already.
            if id != after, try !body(RowCodec.task(id, from: value)) { return }
            row = try cursor.move(.next)
        }
    }

    fileprivate func taskIfThere(_ id: TaskID, _ tables: Tables) throws(LogError) -> TaskSummary? {
        try withUnsafeBytes(of: RowKey.id(id)) { key throws(LogError) in
            guard let row = try get(tables.tasks, key) else { return nil }
            return try RowCodec.task(id, from: row)
        }
    }

    /// Which task the key names.
    fileprivate func owner(of identity: [UInt8], _ tables: Tables) throws(LogError) -> TaskID? {
        try identity.withRawBytes { key throws(LogError) in
            try get(tables.keys, key).flatMap { RowKey.id(from: $0) }
        }
    }
}
