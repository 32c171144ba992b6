package import StepwellModel

/// A store open for changes that no turn of an engine makes: to be built from what another one has, or to lose what is old. Holds
/// the engine's lock meanwhile.
package final class StoreEditor: StoreQueries {
    package let environment: Environment
    private let lock: EngineLock

    /// Opens the store at `path`, and makes it when there is none.
    /// - Throws: ``LogError/locked(path:owner:)`` when an engine has the store.
    package init(path: String) throws(LogError) {
        let directory = StoreDirectory(path: path)
        try directory.create()
        lock = try EngineLock(directory)
        environment = try Environment.openForWriting(directory, mapSize: 64 << 20)
        try environment.read { transaction throws(LogError) in try StoreInfo.check(transaction, environment) }
    }

    deinit { environment.release() }

    package func currentHead() throws(LogError) -> LogHead {
        try environment.read { transaction throws(LogError) in try environment.head(transaction) }
    }

    /// Notes where what the store holds is from.
    package func setOrigin(_ origin: StoreOrigin) throws(LogError) {
        try environment.write(size: 4096) { transaction in
            try transaction.put(environment.tables.meta, StoreInfo.originKey, origin.encoded)
        }
    }

    /// Writes rows as one transaction.
    package func write(_ batch: StoredBatch) throws(LogError) {
        let tables = environment.tables
        var rows = RowWriter()
        try environment.write(size: batch.byteCount) { transaction in
            let events = try transaction.cursor(tables.events)
            for (number, bytes) in batch.events {
                try withUnsafeBytes(of: RowKey.number(number)) { key in
                    try bytes.withRawBytes { try events.append(key, $0) }
                }
            }
            for commit in batch.commits { try rows.append(commit, in: transaction, tables) }
            for template in batch.templates {
                try template.digest.bytes.withRawBytes { key in
                    try template.bytes.withRawBytes { try transaction.insert(tables.templates, key, $0) }
                }
            }
            if let number = batch.registered { try transaction.putRegistered(number, tables) }
            try transaction.putLimits(batch.limits, gone: [], tables)
            for task in batch.tasks { try rows.put(task, in: transaction, tables) }
            for line in batch.logLines { try rows.put(line, in: transaction, tables) }
            try environment.countAbsent(transaction)
        }
    }
}

/// Rows as another store, or a file, has them: nothing gets a new number or a new hash.
package struct StoredBatch: Sendable {
    /// In order, behind all that the store has.
    package var events: [(number: SequenceNumber, bytes: [UInt8])] = []
    package var commits: [Commit] = []
    package var templates: [(digest: TemplateDigest, bytes: [UInt8])] = []
    /// Each as it is in the end; those that share a key in the order in which they were submitted.
    package var tasks: [TaskSummary] = []
    package var logLines: [LogLine] = []
    /// The last of the events that registers a template, if there is one.
    package var registered: SequenceNumber?
    /// The limits that are in force in the end.
    package var limits: [LimitRow] = []

    package init() {}

    /// About how much it takes.
    package var byteCount: Int {
        events.reduce(0) { $0 + $1.bytes.count + 64 } + templates.reduce(0) { $0 + $1.bytes.count }
            + logLines.reduce(0) { $0 + $1.text.utf8.count + 64 } + tasks.count * 512 + commits.count * 96
            + limits.count * 64
    }
}

/// Where the events of a store are from that was not made by an engine.
package struct StoreOrigin: Hashable, Sendable {
    /// The numbers are those of the log and never change.
    package enum Kind: UInt8, Sendable {
        /// The beginning of another store's log.
        case copied = 0
        /// Tasks of another store; no engine works on them.
        case imported = 1
    }

    package var kind: Kind
    /// Of the store that the events are from, in hexadecimal digits.
    package var storeID: String
    /// Where that store's log ended.
    package var head: SequenceNumber
    package var hash: [UInt8]

    package init(kind: Kind, storeID: String, head: SequenceNumber, hash: [UInt8]) {
        self.kind = kind
        self.storeID = storeID
        self.head = head
        self.hash = hash
    }

    var encoded: [UInt8] {
        var writer = CBORWriter()
        writer.map(4)
        writer.key(1)
        writer.unsigned(kind.rawValue)
        writer.key(2)
        writer.text(storeID)
        writer.key(3)
        writer.unsigned(head.rawValue)
        writer.key(4)
        writer.byteString(hash)
        return writer.bytes
    }

    init(from bytes: UnsafeRawBufferPointer) throws(CBORError) {
        var reader = CBORReader(bytes)
        self.init(kind: .copied, storeID: "", head: .zero, hash: [])
        var seen = KeySet()
        var keys = try reader.map()
        while let key = try reader.key(&keys) {
            seen.insert(key)
            switch key {
            case 1: kind = try reader.enumeration()
            case 2: storeID = try reader.text()
            case 3: head = SequenceNumber(try reader.unsigned())
            case 4: hash = try reader.byteArray()
            default: try reader.skip()
            }
        }
        try reader.end()
        try seen.require([1, 2, 3, 4], at: reader.offset)
    }
}

extension StoreQueries {
    /// Where the store's events are from; nil when engines have written all of them here.
    package func origin() throws(LogError) -> StoreOrigin? {
        try environment.read { transaction throws(LogError) in try StoreInfo.origin(transaction, environment) }
    }
}

extension StoreInfo {
    static func origin(
        _ transaction: borrowing ReadTransaction, _ environment: Environment
    ) throws(LogError) -> StoreOrigin? {
        guard let value = try transaction.get(environment.tables.meta, originKey.bytes) else { return nil }
        do throws(CBORError) { return try StoreOrigin(from: value) } catch {
            throw .corrupt("the store's origin: \(error)", at: nil)
        }
    }
}

extension WriteTransaction {
    func put(_ table: Table, _ key: StaticString, _ value: [UInt8]) throws(LMDBError) {
        try value.withRawBytes { value throws(LMDBError) in try put(table, key.bytes, value) }
    }
}

extension StaticString {
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount) }
}
