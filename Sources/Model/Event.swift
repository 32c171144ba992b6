/// Everything that may have happened. Facts came from outside; decisions are what the scheduler made of them. The log's
/// names and numbers of the cases are in `docs/log-format.md` and never change.
public enum Event: Hashable, Sendable {
    // Facts about the engine and its workers.
    case engineStarted(EngineStart)
    /// The engine was asked to stop: no further attempt is started before the next `engine.started`.
    case engineDraining
    case engineStopped
    case workerJoined(WorkerJoin)
    case workerLeft(WorkerID, reason: String)
    /// The clock went back; times stay at `used` until it has caught up.
    case clockClamped(observed: Timestamp, used: Timestamp)
    /// Finished tasks have left the store, and their events with them.
    indirect case storePruned(StorePruning)
    /// Tasks of the template can be submitted by its name from now on.
    indirect case templateRegistered(TemplateRegistration)
    /// From here on no more of the target's attempts start than the limit says.
    indirect case limitSet(LimitChange)
    indirect case limitRemoved(LimitRemoval)
    /// Steps have waited for a limit's rate, which lets the next one start now. The number is that of the event that has set it.
    case limitDue(SequenceNumber)

    // Facts about a task.
    indirect case taskSubmitted(Submission)
    case attemptSucceeded(AttemptID, result: JSONText, metadata: JSONText?)
    indirect case attemptFailed(AttemptID, Failure)
    case attemptTimedOut(AttemptID)
    case attemptLost(AttemptID, LossReason)
    /// An attempt that had been given up (timed out, cancelled) has really ended; its worker has the place free again.
    case attemptStopped(AttemptID)
    case attemptCheckpointed(AttemptID, data: JSONText)
    /// A result or failure that came too late or twice. It changes nothing but the worker's free places.
    case resultRejected(AttemptID, RejectedResult)
    case retryDue(StepIndex)
    /// A fork takes over a result that another task, or an operator, has.
    indirect case resultAdopted(AdoptedResult)
    case operatorRetried(steps: [StepIndex], reason: String?)
    case operatorCancelled(reason: String?)
    /// From here on nothing of the task starts; what runs goes on.
    case operatorPaused(reason: String?)
    case operatorResumed(reason: String?)
    indirect case operatorResolved(StepIndex, result: JSONText?, reason: String?)

    // Decisions.
    case stepEnqueued(StepIndex)
    case attemptStarted(AttemptStart)
    case retryScheduled(StepIndex, due: Timestamp)
    case stepCompleted(StepIndex)
    case stepFailed(StepIndex, FailureReason)
    /// Back to the beginning with a fresh set of attempts.
    case stepReset(StepIndex)
    case stepResolved(StepIndex)
    /// Complete, with an adopted result.
    case stepAdopted(StepIndex)
    case taskWaiting
    case taskBlocked
    case taskCompleted
    case taskCancelled
}

/// A start of the engine: every worker of the start before is gone.
public struct EngineStart: Hashable, Sendable {
    /// Stepwell's version.
    public var version: String
    public var processID: Int
    public var host: String
    /// Set when this run of the engine works on one task alone; other open tasks wait for another run.
    public var focus: TaskID?
    /// An operator's words, when somebody has it go on with open tasks.
    public var reason: String?
    /// Which rules the scheduler follows from here on. 0: steps go by priority and age alone, whatever their namespaces; an
    /// attempt does not tell the version of its handler. 1: the present ones.
    public var rules: Int

    /// The rules that this version follows. A log of an earlier one is held against those that it was written by.
    public static let presentRules = 1

    public init(
        version: String, processID: Int, host: String, focus: TaskID? = nil, reason: String? = nil,
        rules: Int = presentRules
    ) {
        self.rules = rules
        self.version = version
        self.processID = processID
        self.host = host
        self.focus = focus
        self.reason = reason
    }
}

/// What was taken out of a store, in one commit.
public struct StorePruning: Hashable, Sendable {
    public var taskCount: Int
    public var eventCount: Int
    /// The tasks had ended before this time.
    public var before: Timestamp
    /// An operator's words.
    public var reason: String?

    public init(taskCount: Int, eventCount: Int, before: Timestamp, reason: String? = nil) {
        self.taskCount = taskCount
        self.eventCount = eventCount
        self.before = before
        self.reason = reason
    }
}

/// A template that was made known to the service. A version keeps its text for ever.
public struct TemplateRegistration: Hashable, Sendable {
    public var template: TemplateDigest
    public var namespace: String
    public var name: String
    public var version: String
    /// The registration before this one, of whatever template; zero for the first. So all are found from the last.
    public var previous: SequenceNumber

    public init(
        template: TemplateDigest, namespace: String, name: String, version: String, previous: SequenceNumber = .zero
    ) {
        self.template = template
        self.namespace = namespace
        self.name = name
        self.version = version
        self.previous = previous
    }
}

/// A result that a fork takes over instead of running the step.
public struct AdoptedResult: Hashable, Sendable {
    public var step: StepIndex
    public var result: JSONText
    /// The event of the task that was forked that holds the result; zero when an operator has given another one.
    public var origin: SequenceNumber

    public init(step: StepIndex, result: JSONText, origin: SequenceNumber = .zero) {
        self.step = step
        self.result = result
        self.origin = origin
    }
}

/// Something that runs attempts has come.
public struct WorkerJoin: Hashable, Sendable {
    /// The numbers are those of the log and never change.
    public enum Kind: UInt8, Hashable, Sendable {
        /// Handlers in the engine's own process.
        case inProcess = 0
        /// Commands that the engine runs.
        case command = 1
        /// A process that speaks the worker protocol.
        case process = 2
        /// The same elsewhere, over HTTP.
        case remote = 3
    }

    public var worker: WorkerID
    /// Such as `python#1`.
    public var name: String
    public var kind: Kind
    /// Empty for commands.
    public var handlers: [HandlerVersion]
    /// How many attempts it runs at the same time.
    public var slots: Int
    /// The namespaces of the templates whose steps it runs; none: all.
    public var namespaces: [String]
    /// What its owner says of it, in order; without an effect.
    public var labels: [WorkerLabel]

    public init(
        worker: WorkerID, name: String, kind: Kind, handlers: [HandlerVersion], slots: Int, namespaces: [String] = [],
        labels: [WorkerLabel] = []
    ) {
        self.namespaces = namespaces
        self.labels = labels
        self.worker = worker
        self.name = name
        self.kind = kind
        self.handlers = handlers
        self.slots = slots
    }
}

/// Such as `zone`, `b`.
public struct WorkerLabel: Hashable, Sendable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

public struct HandlerVersion: Hashable, Sendable {
    public var name: String
    public var version: String

    public init(name: String, version: String) {
        self.name = name
        self.version = version
    }
}

/// Which running of which attempt.
public struct AttemptID: Hashable, Sendable {
    public var step: StepIndex
    /// From 1, counted anew after an operator's retry.
    public var attempt: Int
    public var lease: Lease
    public var worker: WorkerID

    public init(step: StepIndex, attempt: Int, lease: Lease, worker: WorkerID) {
        self.step = step
        self.attempt = attempt
        self.lease = lease
        self.worker = worker
    }
}

/// The decision to run a step. Its event's number is the lease.
public struct AttemptStart: Hashable, Sendable {
    public var step: StepIndex
    public var attempt: Int
    public var worker: WorkerID
    public var workerKind: WorkerJoin.Kind
    /// When the attempt is ended, if its step has a timeout.
    public var deadline: Timestamp?
    /// Of the handler, when its worker has told one.
    public var handlerVersion: String?

    public init(
        step: StepIndex, attempt: Int, worker: WorkerID, workerKind: WorkerJoin.Kind, deadline: Timestamp? = nil,
        handlerVersion: String? = nil
    ) {
        self.handlerVersion = handlerVersion
        self.step = step
        self.attempt = attempt
        self.worker = worker
        self.workerKind = workerKind
        self.deadline = deadline
    }
}

/// What an attempt was lost with. The numbers are those of the log and never change.
public enum LossReason: UInt8, Hashable, Sendable, CaseIterable {
    /// The engine died.
    case engineDied = 0
    /// The worker's process died, or was ended for what it wrote.
    case workerDied = 1
    /// The engine was stopped in good order before the attempt could end.
    case engineStopped = 2

    public var name: String {
        switch self {
        case .engineDied: "engine_died"
        case .workerDied: "worker_died"
        case .engineStopped: "engine_stopped"
        }
    }
}

/// Why a step is final without a result. The numbers are those of the log and never change.
public enum FailureReason: UInt8, Hashable, Sendable, CaseIterable {
    case attemptsExhausted = 0
    case notRetryable = 1
    case lossesExhausted = 2

    public var name: String {
        switch self {
        case .attemptsExhausted: "attempts_exhausted"
        case .notRetryable: "not_retryable"
        case .lossesExhausted: "losses_exhausted"
        }
    }
}

/// What was rejected, and why.
public struct RejectedResult: Hashable, Sendable {
    /// The numbers are those of the log and never change.
    public enum Reason: UInt8, Hashable, Sendable, CaseIterable {
        case duplicate = 0
        case timedOut = 1
        case cancelled = 2
        case lost = 3
        case taskClosed = 4

        public var name: String {
            switch self {
            case .duplicate: "duplicate"
            case .timedOut: "timed_out"
            case .cancelled: "cancelled"
            case .lost: "lost"
            case .taskClosed: "task_closed"
            }
        }
    }

    public var reason: Reason
    public var succeeded: Bool

    public init(reason: Reason, succeeded: Bool) {
        self.reason = reason
        self.succeeded = succeeded
    }
}
