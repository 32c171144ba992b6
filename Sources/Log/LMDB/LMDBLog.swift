import StepwellModel
import Synchronization

/// The log in a directory, open for the one engine that may write it.
package final class LMDBLog: StoreQueries, EventLog {
    package let environment: Environment
    private let writer: Mutex<LMDBWriter>
    /// Apart from the writer, so that no one waits for the disk to learn where the log ends.
    private let committed: Mutex<LogHead>

    /// Opens the store at `path` for writing, and makes it when there is none.
    ///
    /// `mapSize` is how much address space a new store begins with; it doubles as often as needed.
    /// - Throws: ``LogError/locked(path:owner:)`` when another engine has the store.
    package init(path: String, mapSize: Int = 64 << 20) throws(LogError) {
        let directory = StoreDirectory(path: path)
        try directory.create()
        let lock = try EngineLock(directory)
        let environment = try Environment.openForWriting(directory, mapSize: mapSize)
        do throws(LogError) {
            let head = try environment.read { transaction throws(LogError) in
                try StoreInfo.check(transaction, environment)
                if try StoreInfo.origin(transaction, environment)?.kind == .imported { throw .imported(path: path) }
                return try environment.head(transaction)
            }
            writer = Mutex(LMDBWriter(head: head, lock: lock))
            committed = Mutex(head)
        } catch {
            environment.release()
            throw error
        }
        self.environment = environment
    }

    deinit { environment.release() }

    /// The store's id, and which directory holds it: a copy of a store is at another place.
    package func placedID() throws(LogError) -> String {
        let place = try environment.directory.identity()
        return try storeID() + "-" + String(place.device, radix: 16) + "-" + String(place.node, radix: 16)
    }

    package var head: LogHead { committed.withLock { $0 } }

    /// The store's path, as it was given.
    package var path: String { environment.path }

    /// How much address space the store has; it grows by doubling.
    package var mapSize: Int { environment.mapSize }

    package func append(_ batch: LogBatch) throws(LogError) {
        let head = try writer.withLock { writer throws(LogError) in
            try writer.append(batch, to: environment)
            return writer.head
        }
        committed.withLock { $0 = head }
    }

    /// Gives the store back: another engine may open it, also one of this process. What was written can still be read.
    package func endWriting() {
        writer.withLock { $0.end() }
    }
}

/// A store open for looking on, while another process, or this one, may write it.
package final class LMDBReader: StoreQueries {
    package let environment: Environment

    /// - Throws: ``LogError/notFound(path:)`` when there is no directory, ``LogError/notAStore(path:reason:)`` when it is none.
    package init(path: String) throws(LogError) {
        let environment = try Environment.openForReading(StoreDirectory(path: path))
        do throws(LogError) {
            try environment.read { transaction throws(LogError) in try StoreInfo.check(transaction, environment) }
        } catch {
            environment.release()
            throw error
        }
        self.environment = environment
    }

    deinit { environment.release() }

    package func currentHead() throws(LogError) -> LogHead {
        try environment.read { transaction throws(LogError) in try environment.head(transaction) }
    }

    /// Looks at every page of the store as it is now, which LMDB does not; an engine may go on writing meanwhile.
    package func checkPages() throws(LogError) {
        // Two commits between the view and the look at the file are rare, and so many times in a row impossible.
        for _ in 0..<1000 {
            let isDone = try environment.read { transaction throws(LogError) in
                try environment.directory.checkPages(of: transaction.number)
            }
            if isDone { return }
        }
    }

    /// LMDB's number of the last commit, without opening the store; nil where there is none to be read.
    package static func lastTransaction(path: String) -> UInt64? { StoreDirectory(path: path).lastTransaction() }

    /// Whether there is a file that may be a store's.
    package static func isThere(path: String) -> Bool { StoreDirectory(path: path).dataSize() >= 0 }

    /// Looks at every page without opening the store: for one that LMDB has stumbled over.
    package static func checkPages(path: String) throws(LogError) {
        _ = try StoreDirectory(path: path).checkPages()
    }
}

extension StoreInfo {
    static func id(_ transaction: borrowing ReadTransaction, _ environment: Environment) throws(LogError) -> String {
        let key = UnsafeRawBufferPointer(start: idKey.utf8Start, count: idKey.utf8CodeUnitCount)
        guard let value = try transaction.get(environment.tables.meta, key) else {
            throw .corrupt("the store has no id", at: nil)
        }
        var reader = CBORReader(value)
        guard let bytes = try? reader.byteArray() else { throw .corrupt("the store's id cannot be read", at: nil) }
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    /// How many events the store lacks: pruned, or never there because it was imported.
    static func absent(_ transaction: borrowing ReadTransaction, _ environment: Environment) throws(LogError) -> UInt64
    {
        guard let value = try transaction.get(environment.tables.meta, absentKey.bytes) else { return 0 }
        var reader = CBORReader(value)
        guard let count = try? reader.unsigned() else {
            throw .corrupt("the number of absent events cannot be read", at: nil)
        }
        return count
    }

    /// Refuses a store of another format.
    static func registered(
        _ transaction: borrowing ReadTransaction, _ environment: Environment
    ) throws(LogError) -> SequenceNumber {
        guard let value = try transaction.get(environment.tables.meta, registeredKey.bytes) else { return .zero }
        var reader = CBORReader(value)
        guard let number = try? reader.unsigned() else {
            throw .corrupt("the number of the last registration cannot be read", at: nil)
        }
        return SequenceNumber(number)
    }

    static func check(_ transaction: borrowing ReadTransaction, _ environment: Environment) throws(LogError) {
        let key = UnsafeRawBufferPointer(start: formatKey.utf8Start, count: formatKey.utf8CodeUnitCount)
        guard let value = try transaction.get(environment.tables.meta, key) else {
            throw .notAStore(path: environment.path, reason: "it does not say which format it has")
        }
        var reader = CBORReader(value)
        guard let found = try? reader.unsigned(as: Int.self) else {
            throw .corrupt("the number of the format cannot be read", at: nil)
        }
        guard readable.contains(found) else {
            throw .otherFormat(path: environment.path, found: found, supported: format)
        }
    }
}

extension Environment {
    /// Where the log ends, by its last commit. The events must end there too.
    func head(_ transaction: borrowing ReadTransaction) throws(LogError) -> LogHead {
        let commits = try transaction.cursor(tables.commits)
        let events = try transaction.cursor(tables.events)
        let lastCommit = try commits.move(.last)
        let lastEvent = try events.move(.last)?.key
        let count = try transaction.count(tables.events)
        guard let lastCommit else {
            guard count == 0 else { throw .corrupt("there are events without a commit", at: nil) }
            return .empty
        }
        let number = try RowKey.number(from: lastCommit.key)
        let found = try lastEvent.map { key throws(LogError) in try RowKey.number(from: key) } ?? .zero
        let absent = try StoreInfo.absent(transaction, self)
        guard number == found || absent > 0 && found < number else {
            throw .corrupt("the last commit ends at \(number), but the last event is \(found)", at: found)
        }
        // Numbers begin at 1, and each is there or counted as absent.
        guard UInt64(count) <= number.rawValue, absent == number.rawValue - UInt64(count) else {
            let gone = absent == 0 ? "" : ", and \(absent) that are gone"
            throw .corrupt("the log ends at \(number), but has \(count) events\(gone)", at: number)
        }
        let commit = try RowCodec.commit(last: number, from: lastCommit.value)
        return LogHead(number: number, time: commit.time, hash: commit.hash)
    }
}
