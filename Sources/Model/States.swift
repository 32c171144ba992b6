/// Where a task stands. The numbers are those of the log's index and never change.
public enum TaskState: UInt8, Hashable, Sendable, CaseIterable {
    case pending = 0
    case inProgress = 1
    case waitingForRetry = 2
    case blockedByFailures = 3
    case paused = 4
    case complete = 5
    case error = 6
    case cancelled = 7
    case resolvedManually = 8

    /// Nothing more happens to the task.
    public var isClosed: Bool { rawValue >= TaskState.complete.rawValue }

    /// The word used in YAML, JSON, tables and documents.
    public var name: String { Self.names[Int(rawValue)] }

    public init?(name: String) {
        guard let index = Self.names.firstIndex(of: name) else { return nil }
        self.init(rawValue: UInt8(index))
    }

    private static let names = [
        "pending", "in_progress", "waiting_for_retry", "blocked_by_failures", "paused", "complete", "error",
        "cancelled", "resolved_manually",
    ]
}

/// Where a step stands. The numbers are those of the snapshots and never change.
public enum StepState: UInt8, Hashable, Sendable, CaseIterable {
    case pending = 0
    case enqueued = 1
    case inProgress = 2
    case waitingForRetry = 3
    case complete = 4
    case error = 5
    case skipped = 6
    case cancelled = 7
    case resolvedManually = 8

    /// What a dependent step waits for.
    public var satisfiesDependents: Bool { self == .complete || self == .resolvedManually }

    public var name: String { Self.names[Int(rawValue)] }

    public init?(name: String) {
        guard let index = Self.names.firstIndex(of: name) else { return nil }
        self.init(rawValue: UInt8(index))
    }

    private static let names = [
        "pending", "enqueued", "in_progress", "waiting_for_retry", "complete", "error", "skipped", "cancelled",
        "resolved_manually",
    ]
}
