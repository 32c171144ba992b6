package import StepwellModel

/// What a store holds, counted. Events that are written meanwhile may be in one number and not yet in another.
package struct StoreStatistics: Sendable {
    package var storeID: String
    package var head: LogHead
    package var commits = 0
    /// By state, then by template; states and templates without tasks are left out.
    package var tasks: [TaskGroup] = []
    package var oldestOpen: TaskSummary?
    /// Days with events, in UTC, the oldest first.
    package var days: [Day] = []
    /// The largest events, the largest first.
    package var largest: [Payload] = []
    package var tables: [TableUsage] = []
    package var file: FileUsage
    package var readers: [StoreReader] = []

    package struct TaskGroup: Hashable, Sendable {
        package var state: TaskState
        package var namespace: String
        package var name: String
        package var count: Int
    }

    package struct Day: Hashable, Sendable {
        /// Such as `2026-11-24`.
        package var date: String
        package var events: UInt64
    }

    /// An event, with the size in bytes of what the log keeps of it.
    package struct Payload: Hashable, Sendable {
        package var event: EventRecord
        package var bytes: Int
    }

    package struct TableUsage: Hashable, Sendable {
        package var name: String
        package var rows: Int
        package var bytes: Int
    }

    package struct FileUsage: Hashable, Sendable {
        /// The length of `data.mdb`, in bytes.
        package var bytes: Int
        /// Of it what the next commits will use again.
        package var freeBytes: Int
        package var pageBytes: Int
        /// How much address space is mapped; it grows by itself.
        package var mapBytes: Int
    }
}

/// A place in LMDB's table of readers.
package struct StoreReader: Hashable, Sendable {
    package var process: Int
    /// The commit that it looks at; nil when it looks at none at the moment.
    package var transaction: Int?
}

extension StoreQueries {
    /// How large the store's file is, and how much of it is in use.
    package func fileUsage() throws(LogError) -> StoreStatistics.FileUsage {
        try environment.read { transaction throws(LogError) in try environment.usage(transaction).file }
    }

    /// Counts what is in the store. Goes through all events once, in small steps, so that no writer is held up.
    package func statistics(largest limit: Int = 5) throws -> StoreStatistics {
        let environment = environment
        // Before this process reads itself.
        let readers = environment.readers()
        var statistics = try environment.read { transaction throws(LogError) in
            let (tables, file) = try environment.usage(transaction)
            var statistics = StoreStatistics(
                storeID: try StoreInfo.id(transaction, environment), head: try environment.head(transaction), file: file
            )
            statistics.commits = try transaction.count(environment.tables.commits)
            statistics.tables = tables
            statistics.tasks = try environment.taskGroups(transaction)
            return statistics
        }
        statistics.readers = readers
        statistics.oldestOpen = try openTasks().min { ($0.submitted, $0.id) < ($1.submitted, $1.id) }
        statistics.days = try days()
        statistics.largest = try largestEvents(limit)
        return statistics
    }

    /// A commit belongs to the day of its last event.
    private func days() throws(LogError) -> [StoreStatistics.Day] {
        let commits = environment.tables.commits
        return try environment.read { transaction throws(LogError) in
            let cursor = try transaction.cursor(commits)
            var days: [StoreStatistics.Day] = []
            var day: Int64?
            var row = try cursor.move(.first)
            while let (key, value) = row {
                let last = try RowKey.number(from: key)
                let commit = try RowCodec.commit(last: last, from: value)
                let number = commit.time.milliseconds / 86_400_000
                if number != day {
                    days.append(.init(date: String(commit.time.description.prefix(10)), events: 0))
                    day = number
                }
                days[days.count - 1].events += last.rawValue - commit.first.rawValue + 1
                row = try cursor.move(.next)
            }
            return days
        }
    }

    private func largestEvents(_ limit: Int) throws(LogError) -> [StoreStatistics.Payload] {
        let events = environment.tables.events
        var largest: [(number: SequenceNumber, bytes: Int)] = []
        var next: SequenceNumber? = SequenceNumber(1)
        while let start = next {
            next = try environment.read { transaction throws(LogError) in
                let cursor = try transaction.cursor(events)
                var row = try withUnsafeBytes(of: RowKey.number(start)) { key throws(LogError) in try cursor.seek(key) }
                var left = 100_000
                while let (key, value) = row {
                    let number = try RowKey.number(from: key)
                    guard left > 0 else { return number }
                    left -= 1
                    if largest.count < limit || value.count > largest[largest.count - 1].bytes {
                        let place = largest.firstIndex { $0.bytes < value.count } ?? largest.count
                        largest.insert((number, value.count), at: place)
                        if largest.count > limit { largest.removeLast() }
                    }
                    row = try cursor.move(.next)
                }
                return nil
            }
        }
        var found: [StoreStatistics.Payload] = []
        for (number, bytes) in largest {
            guard let event = try event(number) else { continue }
            found.append(.init(event: event, bytes: bytes))
        }
        return found
    }
}

extension Environment {
    fileprivate func usage(
        _ transaction: borrowing ReadTransaction
    ) throws(LogError) -> (tables: [StoreStatistics.TableUsage], file: StoreStatistics.FileUsage) {
        let pageBytes = pageSize
        var found: [StoreStatistics.TableUsage] = []
        for (name, table) in tables.all {
            let (rows, pages) = try transaction.usage(table)
            found.append(.init(name: name, rows: rows, bytes: pages * pageBytes))
        }
        let file = StoreStatistics.FileUsage(
            bytes: max(0, directory.dataSize()), freeBytes: try transaction.freePageCount() * pageBytes,
            pageBytes: pageBytes, mapBytes: mapSize)
        return (found, file)
    }

    /// The index by state has the groups side by side; one task of each tells the names.
    fileprivate func taskGroups(
        _ transaction: borrowing ReadTransaction
    ) throws(LogError) -> [StoreStatistics.TaskGroup] {
        let cursor = try transaction.cursor(tables.byState)
        var groups: [StoreStatistics.TaskGroup] = []
        var prefix: [UInt8] = []
        var row = try cursor.move(.first)
        while let (key, _) = row {
            guard key.count > RowKey.byStateTail else { throw .corrupt("a key of by_state is malformed", at: nil) }
            let head = UnsafeRawBufferPointer(rebasing: key[..<(key.count - RowKey.byStateTail)])
            if !head.elementsEqual(prefix) {
                prefix = Array(head)
                let id = UnsafeRawBufferPointer(rebasing: key[(key.count - 16)...])
                guard let bytes = try transaction.get(tables.tasks, id), let task = RowKey.id(from: id) else {
                    throw .corrupt("an index names a task that is not there", at: nil)
                }
                let summary = try RowCodec.task(task, from: bytes)
                groups.append(
                    .init(state: summary.state, namespace: summary.namespace, name: summary.name, count: 0))
            }
            groups[groups.count - 1].count += 1
            row = try cursor.move(.next)
        }
        return groups.sorted {
            ($0.state.rawValue, $0.namespace, $0.name) < ($1.state.rawValue, $1.namespace, $1.name)
        }
    }
}

extension ReadTransaction {
    /// Pages of the file that hold nothing.
    fileprivate func freePageCount() throws(LogError) -> Int {
        let cursor = try cursor(.freePages)
        var count = 0
        var row = try cursor.move(.first)
        while let (_, value) = row {
            guard value.count >= 8, case let listed = value.loadUnaligned(as: Int.self),
                (0..<value.count / 8).contains(listed)
            else { throw .corrupt("a list of free pages is longer than it can be", at: nil) }
            count += listed
            row = try cursor.move(.next)
        }
        return count
    }
}
