import Glibc
import StepwellModel

/// The store's tables. `docs/log-format.md` describes their keys and values.
struct Tables: Sendable {
    let meta: Table
    let events: Table
    let commits: Table
    let tasks: Table
    let open: Table
    let byState: Table
    let keys: Table
    let templates: Table
    let snapshots: Table
    let logs: Table

    /// Opens each table by its name.
    init<Failure>(_ open: (StaticString) throws(Failure) -> Table) throws(Failure) {
        meta = try open("meta")
        events = try open("events")
        commits = try open("commits")
        tasks = try open("tasks")
        self.open = try open("open")
        byState = try open("by_state")
        keys = try open("keys")
        templates = try open("templates")
        snapshots = try open("snapshots")
        logs = try open("logs")
    }
}

extension Tables {
    /// All of them by their names, in the order of the page on the format.
    var all: [(name: String, table: Table)] {
        [
            ("meta", meta), ("events", events), ("commits", commits), ("tasks", tasks), ("open", open),
            ("by_state", byState), ("keys", keys), ("templates", templates), ("snapshots", snapshots), ("logs", logs),
        ]
    }
}

/// What the table `meta` says of the store.
package struct StoreInfo {
    /// Raised when a program that knows only the present format could misread a store. Format 2 has checksums.
    package static let format = 2
    /// Earlier formats that are still read. An engine that opens such a store makes it one of the present format: what it
    /// holds stays as it is, what is added is of the new form.
    static let readable = 1...format

    static let formatKey: StaticString = "format"
    static let idKey: StaticString = "store_id"
    static let createdKey: StaticString = "created"
    static let originKey: StaticString = "origin"
    static let absentKey: StaticString = "absent"
    static let registeredKey: StaticString = "registered"

    static var encodedFormat: [UInt8] { encoded { $0.unsigned(format) } }

    private static func encoded(_ write: (inout CBORWriter) -> Void) -> [UInt8] {
        var writer = CBORWriter()
        write(&writer)
        return writer.bytes
    }

    /// Sixteen random bytes and the present time, for a new store.
    static func newRows() -> [(key: StaticString, value: [UInt8])] {
        let id = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return [
            (formatKey, encodedFormat),
            (idKey, encoded { $0.byteString(id) }),
            (createdKey, encoded { $0.integer(Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000) }),
        ]
    }
}

/// Keys that are put together from several parts.
enum RowKey {
    /// What follows the state in a key of `by_state`: a time and an id.
    static let byStateTail = 24
    /// Longer names stand under their hash in `by_state`; LMDB's keys end at 511 bytes.
    private static let namespaceMax = 128
    private static let nameMax = 255

    static func number(_ number: SequenceNumber) -> UInt64 { number.rawValue.bigEndian }

    static func id(_ id: TaskID) -> (UInt64, UInt64) { (id.high.bigEndian, id.low.bigEndian) }

    /// The number of an event or a commit.
    ///
    /// - Throws: ``LogError`` for a key of another length, and for numbers that no log comes to: others reckon with what
    ///   they are given.
    static func number(from bytes: UnsafeRawBufferPointer) throws(LogError) -> SequenceNumber {
        guard bytes.count == 8 else { throw .corrupt("a number is not eight bytes long", at: nil) }
        let number = bytes.bigEndian(at: 0)
        guard number > 0, number <= Int64.max else {
            throw .corrupt("an event cannot have the number \(number)", at: nil)
        }
        return SequenceNumber(number)
    }

    static func id(from bytes: UnsafeRawBufferPointer) -> TaskID? {
        bytes.count == 16 ? TaskID(high: bytes.bigEndian(at: 0), low: bytes.bigEndian(at: 8)) : nil
    }

    /// Namespace, 0, name, 0, state, time of submission, id: ordered within a state by time.
    static func byState(_ task: TaskSummary, state: TaskState, submitted: Timestamp, into key: inout [UInt8]) {
        key.removeAll(keepingCapacity: true)
        key.append(contentsOf: byStatePart(task.namespace, max: namespaceMax))
        key.append(0)
        key.append(contentsOf: byStatePart(task.name, max: nameMax))
        key.append(0)
        key.append(state.rawValue)
        append(UInt64(max(0, submitted.milliseconds)), to: &key)
        append(task.id.high, to: &key)
        append(task.id.low, to: &key)
    }

    /// When the task of a key of `by_state` was submitted, and its id.
    static func byStatePlace(from key: UnsafeRawBufferPointer) throws(LogError) -> (submitted: Timestamp, id: TaskID) {
        let tail = key.count - byStateTail
        guard tail > 0, let time = Int64(exactly: key.bigEndian(at: tail)) else {
            throw .corrupt("a key of by_state is malformed", at: nil)
        }
        let id = TaskID(high: key.bigEndian(at: tail + 8), low: key.bigEndian(at: tail + 16))
        return (Timestamp(milliseconds: time), id)
    }

    static func byStatePrefix(namespace: String, name: String?) -> [UInt8] {
        var key = byStatePart(namespace, max: namespaceMax) + [0]
        if let name { key += byStatePart(name, max: nameMax) + [0] }
        return key
    }

    static func byStateName(_ name: String) -> [UInt8] { byStatePart(name, max: nameMax) }

    /// A name as a part of a key: without the byte that ends it, and not too long. Templates keep to both already; a name that
    /// does not stands under a byte that no other begins with and its hash, in hexadecimal digits.
    private static func byStatePart(_ name: String, max: Int) -> [UInt8] {
        let bytes = Array(name.utf8)
        if bytes.count <= max, !bytes.contains(0), bytes.first != 1 { return bytes }
        return [1] + Array(hexadecimal(SHA256.hash(bytes)).utf8)
    }

    /// The hash of namespace, name and key, each after its length in four bytes.
    static func identity(namespace: String, name: String, key: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for part in [namespace, name, key] {
            withUnsafeBytes(of: UInt32(truncatingIfNeeded: part.utf8.count).bigEndian) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: part.utf8)
        }
        return SHA256.hash(bytes)
    }

    /// Task, lease, number of the line.
    static func logLine(_ task: TaskID, _ position: LogLinePosition, into key: inout [UInt8]) {
        key.removeAll(keepingCapacity: true)
        append(task.high, to: &key)
        append(task.low, to: &key)
        append(position.lease.rawValue, to: &key)
        append(position.number, to: &key)
    }

    static func logLinePosition(from key: UnsafeRawBufferPointer) -> LogLinePosition? {
        guard key.count == 28 else { return nil }
        let number = UInt32(bigEndian: key.loadUnaligned(fromByteOffset: 24, as: UInt32.self))
        return LogLinePosition(lease: Lease(key.bigEndian(at: 16)), number: number)
    }

    private static func append(_ value: some FixedWidthInteger, to key: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { key.append(contentsOf: $0) }
    }
}
