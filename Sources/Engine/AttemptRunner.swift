package import StepwellLog
package import StepwellModel

/// Runs attempts: handlers in this process, commands, or a worker process.
///
/// The engine calls on its loop's thread, after the events are on disk, so nothing here may block. For every assignment the
/// runner reports exactly one end with ``AttemptHost/finish(_:_:)``, unless it reports its whole worker as gone with
/// ``AttemptHost/leave(_:reason:)``.
package protocol AttemptRunner: AnyObject, Sendable {
    func run(_ assignment: Assignment)
    /// The attempt has no say any more: end it, and report ``AttemptOutcome/stopped``, or what came of it.
    func stop(_ lease: Lease, because reason: StopReason)
    /// What came for this lease was too late or came twice.
    func rejected(_ lease: Lease, because reason: RejectedResult.Reason)
    /// No further assignments will come. Attempts at hand may end.
    func drain()
}

/// Why a running attempt is ended.
package enum StopReason: String, Sendable {
    case timeout
    case cancelled
    case shutdown
}

/// The engine as its runners see it. Every method may be called on any thread, and none blocks.
package protocol AttemptHost: AnyObject, Sendable {
    /// A number for a worker that is about to join.
    func nextWorkerID() -> WorkerID
    /// From now on the engine assigns attempts to `runner`, at most `join.slots` at a time.
    func join(_ join: WorkerJoin, runner: any AttemptRunner)
    /// The worker is gone, and so are the attempts that it held.
    func leave(_ worker: WorkerID, reason: String)
    func finish(_ assignment: Assignment, _ outcome: AttemptOutcome)
    /// Remembers `data` for the step's next attempt. `done` gets nil when it is on disk, else why it was refused.
    func checkpoint(_ assignment: Assignment, _ data: JSONText, done: @escaping @Sendable (Rejection?) -> Void)
    func log(_ assignment: Assignment, _ level: LogLine.Level, _ text: String)
    func heartbeat(_ assignment: Assignment, progress: JSONText?)
    /// The recorded result of an ancestor of the attempt's step.
    func result(
        of step: String, for assignment: Assignment, done: @escaping @Sendable (Result<JSONText, FetchError>) -> Void)
    /// A line for the engine's operator, such as a worker's death.
    func notice(_ text: String)
    var limits: Limits { get }
}

/// Why a result cannot be had.
package enum FetchError: Error, Sendable, CustomStringConvertible {
    case notAnAncestor(String)
    case noResult(String)
    case log(LogError)
    case engine(EngineError)

    package var description: String {
        switch self {
        case .notAnAncestor(let step): "'\(step)' is no ancestor of this step"
        case .noResult(let step): "'\(step)' has no result: it was resolved by hand"
        case .log(let error): error.message
        case .engine(let error): error.message
        }
    }
}

/// Sizes and times that bound what runners do.
package struct Limits: Sendable {
    /// The largest result or checkpoint, in bytes.
    package var resultBytesMax = 16 << 20
    /// The longest line of the worker protocol, in bytes.
    package var lineBytesMax = 64 << 20
    /// A direct dependency's result larger than this is not sent along; the worker fetches it.
    package var inlineBytesMax = 256 << 10
    /// Farther ancestors named in an attempt message; others can be fetched by name all the same.
    package var fetchableMax = 1000
    /// How long an attempt may take to end after it was told to, before its process is killed.
    package var stopGrace = Milliseconds.seconds(5)
    /// How long a worker may take to say hello.
    package var helloWait = Milliseconds.seconds(30)
    /// Log lines kept of one attempt; what comes after is counted, not kept.
    package var logLinesMax = 10_000
    /// A longer log line is cut.
    package var logLineBytesMax = 16 << 10

    package init() {}
}
