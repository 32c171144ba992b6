public import StepwellModel

/// Trouble with the log or its store.
public enum LogError: StepwellError, Hashable {
    /// No space on the disk. Nothing was written; the same batch may be appended again when there is space.
    case diskFull(path: String)
    /// Another engine writes this store.
    case locked(path: String, owner: Int?)
    case notFound(path: String)
    /// The directory holds no store, or one that this version cannot read.
    case notAStore(path: String, reason: String)
    /// Written in a format of another version.
    case otherFormat(path: String, found: Int, supported: Int)
    case notWritable(path: String, reason: String)
    /// A store is to be made there, and there is something already.
    case notEmpty(path: String)
    /// The store holds single tasks of another one, and no engine may work on it.
    case imported(path: String)
    /// Bytes that cannot be what was written.
    case corrupt(String, at: SequenceNumber?)
    /// An event of a type that this version does not know.
    case unknownEvent(type: Int, at: SequenceNumber)
    /// The batch does not follow the head: two writers, or a bug.
    case unexpectedHead(expected: SequenceNumber, found: SequenceNumber)
    case inputOutput(operation: String, reason: String)

    public var code: String {
        switch self {
        case .diskFull: "disk_full"
        case .locked: "store_locked"
        case .notFound: "store_not_found"
        case .notAStore: "not_a_store"
        case .otherFormat: "store_format"
        case .notWritable: "store_not_writable"
        case .notEmpty: "not_empty"
        case .imported: "store_imported"
        case .corrupt: "store_corrupt"
        case .unknownEvent: "unknown_event"
        case .unexpectedHead: "unexpected_head"
        case .inputOutput: "store_io"
        }
    }

    public var message: String {
        switch self {
        case .diskFull(let path): "the disk that holds the store '\(path)' is full; nothing was written"
        case .locked(let path, let owner):
            "the store '\(path)' is in use by another engine" + (owner.map { " (process \($0))" } ?? "")
        case .notFound(let path): "there is no store at '\(path)'"
        case .notAStore(let path, let reason): "'\(path)' is not a store of Stepwell: \(reason)"
        case .otherFormat(let path, let found, let supported):
            "the store '\(path)' has format \(found); this version reads format \(supported)"
        case .notWritable(let path, let reason): "the store '\(path)' cannot be written: \(reason)"
        case .notEmpty(let path): "there is something at '\(path)' already; nothing was written"
        case .imported(let path): "the store '\(path)' holds imported tasks, which can be read but not worked on"
        case .corrupt(let what, let number):
            "the log is damaged" + (number.map { " at event \($0)" } ?? "") + ": \(what)"
        case .unknownEvent(let type, let number):
            "event \(number) has the type \(type), which this version does not know"
        case .unexpectedHead(let expected, let found):
            "the batch follows event \(expected), but the log ends at \(found)"
        case .inputOutput(let operation, let reason): "\(operation) failed: \(reason)"
        }
    }

    public var cure: String? {
        switch self {
        case .diskFull: "free some space; a running engine goes on by itself"
        case .locked: "wait until it ends, or name another store with --store"
        case .notFound: "'stepwell run' makes one; --store or STEPWELL_STORE names it"
        case .otherFormat, .unknownEvent: "open it with the version of Stepwell that wrote it, or a newer one"
        case .notWritable: "check the owner and the permissions of the directory"
        case .notEmpty: "name a directory that is empty or new; 'stepwell restore --replace' keeps an old store aside"
        case .imported:
            "work on the store that they were exported from; 'show', 'events', 'logs' and the like read this one"
        case .corrupt: "keep a copy of the directory, then restore a backup; nothing was changed"
        default: nil
        }
    }
}
