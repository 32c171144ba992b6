package import StepwellKernel
package import StepwellLog
public import StepwellModel

/// A task as its events tell it: where it stands, and what came of each step.
public struct TaskReport: Sendable {
    public var id: TaskID
    public var submission: Submission
    public var template: Template
    public var state: TaskState
    public var submitted: Timestamp
    public var submitter: Actor
    /// The time of the last event.
    public var changed: Timestamp
    /// Set when the task is closed.
    public var closed: Timestamp?
    /// The event that the report ends with.
    public var last: SequenceNumber
    /// In the template's order.
    public var steps: [StepReport]
    /// Why an operator cancelled the task.
    public var cancelReason: String?
    /// Who has paused the task, when and why; set while it is paused.
    public var pause: Pause?
    /// Tasks that were forked from this one, the newest first; read by ``readForks(from:)``.
    public var forks: [TaskID] = []

    /// A stop that an operator has asked for, until it is lifted.
    public struct Pause: Hashable, Sendable {
        public var actor: Actor
        public var time: Timestamp
        public var reason: String?
        /// The event that says so.
        public var number: SequenceNumber
    }

    public subscript(step: String) -> StepReport? { steps.first { $0.name == step } }
}

/// One step of a ``TaskReport``.
public struct StepReport: Sendable {
    public var name: String
    public var state: StepState = .pending
    /// The attempts that were used since the step was last reset; lost ones do not count.
    public var attempts = 0
    public var attemptsMax = 0
    /// Every running of the step that was ever started.
    public var starts = 0
    /// How many of them were lost with their worker or engine.
    public var losses = 0
    public var result: JSONText?
    /// Of the last attempt that failed.
    public var failure: Failure?
    public var failureReason: FailureReason?
    /// Set when the result was taken over from the task that was forked: the event there that holds it, or zero when it was
    /// given with the fork.
    public var adopted: SequenceNumber?
    /// Why an operator resolved the step by hand.
    public var resolvedReason: String?
    /// The first start.
    public var started: Timestamp?
    public var lastStarted: Timestamp?
    /// When the step became final.
    public var completed: Timestamp?
    /// When the next attempt is due.
    public var due: Timestamp?
    public var deadline: Timestamp?
    /// Steps that must be complete before this one can start, and are not.
    public var waitsFor: [String] = []
    /// Of the handler that runs or last ran the step, when its worker has told it.
    public var handlerVersion: String?
    /// The lease that runs or last ran.
    public var lease: Lease?
    /// What the step waits for. What an enqueued step waits for, the task's own events do not tell: ``World`` does.
    package var wait: WaitReason?

    init(_ template: StepTemplate) {
        name = template.name
        attemptsMax = template.retry.attemptsMax
    }
}

extension TaskReport {
    /// Reads a task from the log, as it was at a moment. `visit` sees every event that is read, and the task after it.
    /// - Throws: ``LogError``, or ``FoldError`` when the events cannot follow each other; nil when there is no such task, or
    ///   was none at that moment.
    package static func read(
        _ id: TaskID, from log: any EventReader, at moment: Moment = .end,
        visit: (EventRecord, TaskRecord?) throws -> Void = { _, _ in }
    ) throws -> TaskReport? {
        guard let summary = try log.task(id) else { return nil }
        guard let template = try log.template(summary.template) else {
            throw LogError.corrupt("the template \(summary.template) is missing", at: summary.first)
        }
        var fold = ReportFold(id, template, digest: summary.template)
        try log.events(of: id, after: .zero, payloads: .included) { record in
            guard moment.includes(record) else { return }
            try visit(record, try fold.take(record))
        }
        return fold.whole
    }

    /// How many tasks are looked through for forks: those of the same template that were submitted last.
    private static let forksSearched = 10_000

    /// Looks for the task's forks among the newest tasks of its name.
    package mutating func readForks(from log: some StoreQueries) throws(LogError) {
        guard let summary = try log.task(id) else { return }
        forks = try log.forks(of: summary, among: Self.forksSearched)
    }

    fileprivate init(_ id: TaskID, _ submission: Submission, _ template: Template, _ record: EventRecord) {
        self.id = id
        self.submission = submission
        self.template = template
        state = .pending
        submitted = record.time
        submitter = record.actor
        changed = record.time
        last = record.number
        steps = template.steps.map { StepReport($0) }
    }

    /// What the kernel knows: states, and what is awaited.
    fileprivate mutating func take(_ task: TaskRecord) {
        state = task.state
        let waits = task.waits
        for (index, step) in task.steps.enumerated() {
            steps[index].state = step.state
            steps[index].attempts = Int(step.attempt)
            let due = step.due == .never ? nil : step.due
            steps[index].due = step.state == .waitingForRetry ? due : nil
            steps[index].deadline = step.state == .inProgress ? due : nil
            steps[index].wait = waits[index]
            if step.state == .pending {
                steps[index].waitsFor = template.steps[index].dependencies
                    .filter { !task.steps[$0].state.satisfiesDependents }
                    .map { template.steps[$0].name }
            }
        }
    }

    /// What the kernel lets go: results, failures, times.
    fileprivate mutating func note(_ record: EventRecord) {
        changed = record.time
        last = record.number
        switch record.event {
        case .attemptStarted(let start):
            steps[start.step].starts += 1
            steps[start.step].started = steps[start.step].started ?? record.time
            steps[start.step].lastStarted = record.time
            steps[start.step].lease = record.number
            steps[start.step].handlerVersion = start.handlerVersion
        case .attemptSucceeded(let attempt, let result, _): steps[attempt.step].result = result
        case .attemptFailed(let attempt, let failure): steps[attempt.step].failure = failure
        case .attemptTimedOut(let attempt):
            let timeout = template.steps[attempt.step].timeout
            steps[attempt.step].failure = Failure(
                message: "the attempt took longer than \(timeout.map(\.description) ?? "its timeout")",
                errorType: "timeout")
        case .attemptLost(let attempt, _): steps[attempt.step].losses += 1
        case .stepCompleted(let step):
            steps[step].completed = record.time
            steps[step].failure = nil
        case .stepFailed(let step, let reason):
            steps[step].completed = record.time
            steps[step].failureReason = reason
            if reason == .lossesExhausted {
                steps[step].failure = Failure(
                    message: "the attempt was lost with its worker too often", errorType: "lost", retryable: false)
            }
        case .stepReset(let step):
            steps[step].completed = nil
            steps[step].failureReason = nil
        case .resultAdopted(let adopted):
            steps[adopted.step].result = adopted.result
            steps[adopted.step].completed = record.time
            steps[adopted.step].adopted = adopted.origin
        case .operatorResolved(let step, let result, let reason):
            steps[step].result = result
            steps[step].resolvedReason = reason
            steps[step].completed = record.time
        case .operatorCancelled(let reason): cancelReason = reason
        case .operatorPaused(let reason):
            pause = Pause(actor: record.actor, time: record.time, reason: reason, number: record.number)
        case .operatorResumed: pause = nil
        case .taskCompleted: close(.complete, record)
        case .taskCancelled: close(.cancelled, record)
        default: break
        }
    }

    private mutating func close(_ state: TaskState, _ record: EventRecord) {
        self.state = state
        closed = record.time
        pause = nil
        guard state == .cancelled else { return }
        for step in steps.indices {
            if case .moves(let next) = StepMachine.table[steps[step].state, .taskCancelled] { steps[step].state = next }
            steps[step].due = nil
            steps[step].deadline = nil
            steps[step].wait = nil
        }
    }
}

/// A task's report in the making, event by event.
struct ReportFold {
    private var state = State()
    private var report: TaskReport?
    private let id: TaskID
    private let template: Template

    init(_ id: TaskID, _ template: Template, digest: TemplateDigest) {
        self.id = id
        self.template = template
        state.adopt(Plan(template, digest: digest))
    }

    /// Takes the task's next event.
    /// - Returns: the task after it; nil when that has closed it.
    mutating func take(_ record: EventRecord) throws(FoldError) -> TaskRecord? {
        if case .taskSubmitted(let submission) = record.event {
            report = TaskReport(id, submission, template, record)
        }
        // The kernel lets go of a task with the event that closes it, so what it knows is taken before.
        if record.event.closesTask, let task = state[id] { report?.take(task) }
        try state.apply(record)
        report?.note(record)
        return state[id]
    }

    /// The report after the last event; nil when there was none.
    var whole: TaskReport? {
        var report = report
        if let task = state[id] { report?.take(task) }
        return report
    }
}

extension Event {
    fileprivate var closesTask: Bool {
        switch self {
        case .taskCompleted, .taskCancelled: true
        default: false
        }
    }
}
