/// One line that a handler wrote: kept beside the events, no part of them.
public struct LogLine: Hashable, Sendable {
    /// The numbers are those of the log and never change.
    public enum Level: UInt8, Hashable, Sendable, CaseIterable {
        case debug = 0
        case info = 1
        case warning = 2
        case error = 3

        public var name: String { ["debug", "info", "warning", "error"][Int(rawValue)] }

        public init?(name: String) {
            guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
            self = level
        }
    }

    public var task: TaskID
    public var step: StepIndex
    public var attempt: Int
    public var lease: Lease
    /// From 0 within the lease.
    public var number: UInt32
    public var time: Timestamp
    public var level: Level
    public var text: String

    public init(
        task: TaskID, step: StepIndex, attempt: Int, lease: Lease, number: UInt32, time: Timestamp, level: Level,
        text: String
    ) {
        self.task = task
        self.step = step
        self.attempt = attempt
        self.lease = lease
        self.number = number
        self.time = time
        self.level = level
        self.text = text
    }
}
