package import StepwellLog
public import StepwellModel

/// What a verification has found in order.
public struct VerificationReport: Hashable, Sendable {
    public var events = 0
    public var commits = 0
    public var tasks = 0
    public var tasksOpen = 0
    /// Events that the store lacks: pruned, or never there because it was imported.
    public var absent: UInt64 = 0
    /// Whether the store holds imported tasks alone.
    public var isImported = false
    /// Commits that lack events and are too old for their hash to be checked without.
    public var unproven = 0
    /// The last event that was checked, and its time.
    public var last = SequenceNumber.zero
    public var time = Timestamp.zero
    /// The end of the log when the verification began.
    package var head = LogHead.empty
    /// The commit that has the hash that was noted.
    public var notedAt: Noted?

    public struct Noted: Hashable, Sendable {
        public var last: SequenceNumber
        public var time: Timestamp
    }

    /// The hash of the last commit, in hexadecimal digits.
    public var hash: String { hexadecimal(head.hash) }
}

/// Why a sound log is not the one that was expected.
public enum VerificationError: StepwellError, Hashable {
    /// No commit has the hash that was noted.
    case unknownHash
    /// Neither has one in this store, which holds only a part of the log.
    case notInThisPart
    /// The same, and the hash is the one with which the log ended when a task was exported, as its file says.
    case headOfTheLog(SequenceNumber)
    /// It is the hash of a task's state, and no commit's.
    case stateHash(TaskID)

    public var code: String { "unknown_hash" }

    public var message: String {
        switch self {
        case .unknownHash: "no commit of this log has that hash: it is another log, or its history was replaced"
        case .notInThisPart:
            "no commit of the imported tasks has that hash; this store holds only a part of the log, in which a hash that was "
                + "noted elsewhere cannot be found"
        case .headOfTheLog(let number):
            "the imported file says that the log ended with that hash, at event \(number), but that commit is not in this store: "
                + "nothing proves it here"
        case .stateHash(let task):
            "that is the hash of the state of task \(task), as it is in this store; no commit has it"
        }
    }

    public var cure: String? {
        switch self {
        case .unknownHash: "look for the copy of the store that the hash was noted of"
        case .notInThisPart, .headOfTheLog: "look for it in the store that the tasks are from"
        case .stateHash: "'--against' takes a hash of 'stepwell audit head'"
        }
    }
}
