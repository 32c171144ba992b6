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

    public var code: String { "unknown_hash" }
    public var message: String { "no commit of this log has that hash: it is another log, or its history was replaced" }
    public var cure: String? { "look for the copy of the store that the hash was noted of" }
}
