package import StepwellModel

/// A task that is not closed, as the kernel holds it: numbers only. Input and results stay in the log.
package struct TaskRecord: Sendable {
    package let id: TaskID
    package let route: Route
    package private(set) var key: String?
    package let priority: Int
    package let submitted: Timestamp
    /// The `task.submitted` event, where the input is.
    package let first: SequenceNumber
    package let forkedFrom: TaskID?
    package var state: TaskState
    package var changed: Timestamp
    package var last: SequenceNumber
    package var eventCount: UInt32
    /// At least one, unless the record is vacant.
    package var steps: ContiguousArray<StepRecord>

    // How many steps are where; what none of these counts is pending or cancelled.
    /// Enqueued or in progress.
    package var active = 0
    package var waiting = 0
    /// Complete or resolved by hand.
    package var done = 0
    package var failed = 0

    package var plan: Plan { route.plan }

    init(id: TaskID, route: Route, submission: Submission, number: SequenceNumber, time: Timestamp) {
        self.id = id
        self.route = route
        key = submission.key
        priority = submission.priority
        submitted = time
        first = number
        forkedFrom = submission.forkedFrom
        state = .pending
        changed = time
        last = number
        eventCount = 1
        steps = ContiguousArray(
            route.plan.template.steps.map { StepRecord(remaining: UInt32($0.dependencies.count)) })
    }

    /// A task as a snapshot has kept it.
    package init(
        summary: TaskSummary, route: Route, last: SequenceNumber, eventCount: UInt32, state: TaskState,
        changed: Timestamp, steps: ContiguousArray<StepRecord>
    ) {
        id = summary.id
        self.route = route
        key = summary.key
        priority = summary.priority
        submitted = summary.submitted
        first = summary.first
        forkedFrom = summary.forkedFrom
        self.state = state
        self.changed = changed
        self.last = last
        self.eventCount = eventCount
        self.steps = steps
        for step in steps { count(step.state, by: 1) }
    }

    /// Empties the record of a task that has closed, until another task takes its slot.
    mutating func vacate() {
        key = nil
        steps = []
    }

    var isVacant: Bool { steps.isEmpty }

    /// Moves a step and keeps the counts.
    mutating func move(_ step: StepIndex, to state: StepState, at number: SequenceNumber) {
        count(steps[step].state, by: -1)
        steps[step].state = state
        steps[step].since = number
        count(state, by: 1)
    }

    private mutating func count(_ state: StepState, by change: Int) {
        switch state {
        case .enqueued, .inProgress: active += change
        case .waitingForRetry: waiting += change
        case .complete, .resolvedManually: done += change
        case .error: failed += change
        case .pending, .skipped, .cancelled: break
        }
    }

    /// What is to be said of the whole task when nothing of it runs any more and it has not been said yet. Of a
    /// paused task only its end is told.
    var verdict: Event? {
        if done == steps.count { return .taskCompleted }
        guard active == 0, state != .paused else { return nil }
        if waiting > 0 { return state == .waitingForRetry ? nil : .taskWaiting }
        return state == .blockedByFailures ? nil : .taskBlocked
    }

    package var summary: TaskSummary {
        TaskSummary(
            id: id, namespace: plan.template.namespace, name: plan.template.name, version: plan.template.version,
            template: plan.digest, key: key, priority: priority, state: state, submitted: submitted, changed: changed,
            first: first, last: last, eventCount: eventCount, stepCount: steps.count, stepsDone: done,
            stepsFailed: failed, forkedFrom: forkedFrom)
    }
}

/// One step of a task.
package struct StepRecord: Hashable, Sendable {
    package var state: StepState = .pending
    /// What runs, or last ran, the step.
    package var workerKind: WorkerJoin.Kind = .inProcess
    package var worker = WorkerID(0)
    /// The number of the attempt that runs or last ran; 0 before the first.
    package var attempt: UInt16 = 0
    /// How often an attempt was lost with its worker since the step was last reset.
    package var losses: UInt16 = 0
    /// Dependencies that are not satisfied yet.
    package var remaining: UInt32
    /// The event that brought the step into its state; while it is in progress, the lease.
    package var since: SequenceNumber = .zero
    /// The event that holds the result; zero without one.
    package var result: SequenceNumber = .zero
    /// The event that holds the last checkpoint; zero without one.
    package var checkpoint: SequenceNumber = .zero
    /// In progress: when the attempt is ended. Waiting: when the next one is due. Else without meaning.
    package var due: Timestamp = .never

    package init(remaining: UInt32) {
        self.remaining = remaining
    }

    /// Whether the step may be enqueued for the first time.
    var isReady: Bool { remaining == 0 && state == .pending }
}

extension Timestamp {
    /// Later than any time: no deadline.
    package static let never = Timestamp(milliseconds: .max)
}

/// A plan, and for each of its steps the lane in which it waits for a worker.
package final class Route: Sendable {
    package let plan: Plan
    let lanes: [Int32]

    init(plan: Plan, lanes: [Int32]) {
        self.plan = plan
        self.lanes = lanes
    }
}
