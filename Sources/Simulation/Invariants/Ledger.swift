package import StepwellModel

/// What a reader of the log notes down who knows nothing of the kernel: enough to say whether the next event may come.
package struct Ledger: Sendable {
    package struct Step: Sendable {
        package var isSatisfied = false
        /// The event with the result; zero without one.
        package var result = SequenceNumber.zero
        /// Since the last reset.
        package var failureCount = 0
        /// The last failure said that no further attempt would help.
        package var lastFailureIsFinal = false
        package var lossCount = 0
        // Since the beginning.
        package var startCount = 0
        package var failuresInAll = 0
        package var timeoutsInAll = 0
        package var lossesInAll = 0
        package var running: Lease?
        /// The event with the last checkpoint; zero without one.
        package var checkpoint = SequenceNumber.zero
        package var kind: WorkerJoin.Kind?
        /// When the attempt that runs is ended, or the next one begins.
        package var due: Timestamp?
        package var enqueued: SequenceNumber?
        /// Why it has failed for good, until it is reset.
        package var failure: FailureReason?
    }

    package struct Task: Sendable {
        package let id: TaskID
        package let template: Template
        package let submission: Submission
        package let first: SequenceNumber
        package let submitted: Timestamp
        package var steps: [Step]
        package var last = SequenceNumber.zero
        package var changed: Timestamp
        package var eventCount: UInt32 = 0
        /// An attempt has started, or a pause has ended.
        package var hasStarted = false
        package var isPaused = false
        /// When it was last closed or blocked.
        package var settled: Timestamp?
        /// The event that closed it.
        package var closing: Event?
        package var isClosed: Bool { closing != nil }
    }

    package struct Worker: Sendable {
        package let join: WorkerJoin
        package var busy = 0
    }

    /// An enqueued step.
    package struct Waiting: Sendable {
        package let task: Int
        package let step: StepIndex
        package let priority: Int
        package let number: SequenceNumber
    }

    package private(set) var last = SequenceNumber.zero
    package private(set) var time = Timestamp.zero
    package private(set) var started = SequenceNumber.zero
    package private(set) var lastFact = SequenceNumber.zero
    /// What must follow before the next fact comes, and has not yet.
    package private(set) var owed: [Debt] = []
    package private(set) var focus: TaskID?
    package private(set) var isStopping = false
    /// In the order of their submissions.
    package private(set) var tasks: [Task] = []
    private var places: [TaskID: Int] = [:]
    /// The newest task of each identity.
    private var keys: [Identity: TaskID] = [:]
    package private(set) var workers: [Worker] = []
    package private(set) var held: [Lease: AttemptID] = [:]
    package private(set) var waiting: [Waiting] = []
    /// The last start of an attempt in each namespace since the engine has started.
    package private(set) var lastStarts: [String: SequenceNumber] = [:]
    private var templates: [TemplateDigest: Template] = [:]
    package private(set) var limits = LimitLedger()

    private struct Identity: Hashable {
        var namespace: String
        var name: String
        var key: String
    }

    package init() {}

    /// Must be known before the first task of it is submitted.
    package mutating func adopt(_ template: Template, digest: TemplateDigest) { templates[digest] = template }

    package func task(_ id: TaskID?) -> Task? { place(id).map { tasks[$0] } }
    package func place(_ id: TaskID?) -> Int? { id.flatMap { places[$0] } }
    package func worker(_ id: WorkerID) -> Worker? { workers.first { $0.join.worker == id } }
    package func template(_ digest: TemplateDigest) -> Template? { templates[digest] }

    /// The newest task with that key, open or not.
    package func task(namespace: String, name: String, key: String) -> TaskID? {
        keys[Identity(namespace: namespace, name: name, key: key)]
    }

    /// The newest task with the key of that submission.
    package func owner(of submission: Submission) -> TaskID? {
        submission.key.flatMap { task(namespace: submission.namespace, name: submission.name, key: $0) }
    }

    // MARK: Reading

    package mutating func read(_ record: EventRecord) {
        last = record.number
        time = record.time
        if !record.isDecision { lastFact = record.number }
        if let paid = owed.firstIndex(where: { $0.isPaid(by: record) }) { owed.remove(at: paid) }
        if let debt = Debt(record) { owed.append(debt) }
        guard let id = record.task else { return readOfEngine(record) }
        if case .taskSubmitted(let submission) = record.event { submit(id, submission, record) }
        guard let place = places[id] else { return }
        tasks[place].last = record.number
        tasks[place].changed = record.time
        tasks[place].eventCount += 1
        read(record, of: place)
    }

    private mutating func submit(_ id: TaskID, _ submission: Submission, _ record: EventRecord) {
        guard places[id] == nil, let template = templates[submission.template] else { return }
        places[id] = tasks.count
        tasks.append(
            Task(
                id: id, template: template, submission: submission, first: record.number, submitted: record.time,
                steps: template.steps.map { _ in Step() }, changed: record.time))
        guard let key = submission.key else { return }
        keys[Identity(namespace: submission.namespace, name: submission.name, key: key)] = id
    }

    private mutating func readOfEngine(_ record: EventRecord) {
        switch record.event {
        case .engineStarted(let start):
            (workers, started, focus, isStopping) = ([], record.number, start.focus, false)
            lastStarts = [:]
            limits.forgetHeld()
        case .engineDraining, .engineStopped: isStopping = true
        case .workerJoined(let join): workers.append(Worker(join: join))
        case .workerLeft(let worker, _):
            workers.removeAll { $0.join.worker == worker }
            // What has its say still is lost with events of its own.
            let running = Set(tasks.flatMap { $0.steps.compactMap(\.running) })
            limits.end { held[$0]?.worker == worker && !running.contains($0) }
        case .limitSet(let change): limits.set(change, by: record.number)
        case .limitRemoved(let removal): limits.remove(removal.target)
        default: break
        }
    }

    private mutating func read(_ record: EventRecord, of place: Int) {
        switch record.event {
        case .stepEnqueued(let step):
            tasks[place].steps[step].enqueued = record.number
            waiting.append(
                Waiting(
                    task: place, step: step, priority: tasks[place].submission.priority, number: record.number))
        case .attemptStarted(let start): begin(place, start, record)
        case .attemptSucceeded(let attempt, _, _):
            end(place, attempt)
            tasks[place].steps[attempt.step].result = record.number
        case .attemptFailed(let attempt, let failure):
            end(place, attempt)
            tasks[place].steps[attempt.step].failureCount += 1
            tasks[place].steps[attempt.step].lastFailureIsFinal = !failure.retryable
            tasks[place].steps[attempt.step].failuresInAll += 1
        case .attemptTimedOut(let attempt):
            tasks[place].steps[attempt.step].running = nil
            tasks[place].steps[attempt.step].failureCount += 1
            tasks[place].steps[attempt.step].lastFailureIsFinal = false
            tasks[place].steps[attempt.step].timeoutsInAll += 1
        case .attemptLost(let attempt, let reason):
            let diedWithEngine = reason == .engineDied && tasks[place].steps[attempt.step].kind == .inProcess
            if reason == .workerDied || diedWithEngine { tasks[place].steps[attempt.step].lossCount += 1 }
            tasks[place].steps[attempt.step].lossesInAll += 1
            end(place, attempt)
        case .attemptCheckpointed(let attempt, _): tasks[place].steps[attempt.step].checkpoint = record.number
        case .attemptStopped(let attempt), .resultRejected(let attempt, _): release(attempt)
        case .retryScheduled(let step, let due): tasks[place].steps[step].due = due
        case .stepFailed(let step, let reason): tasks[place].steps[step].failure = reason
        case .stepReset(let step):
            tasks[place].steps[step].failureCount = 0
            tasks[place].steps[step].lossCount = 0
            tasks[place].steps[step].failure = nil
        case .operatorResolved(let step, let result, _):
            tasks[place].steps[step].result = result == nil ? .zero : record.number
        case .resultAdopted(let adopted): tasks[place].steps[adopted.step].result = record.number
        case .stepCompleted(let step), .stepResolved(let step), .stepAdopted(let step):
            tasks[place].steps[step].isSatisfied = true
            tasks[place].steps[step].failure = nil
            leaveQueue(place, step)
        case .operatorPaused: tasks[place].isPaused = true
        case .operatorResumed: (tasks[place].isPaused, tasks[place].hasStarted) = (false, true)
        case .taskBlocked: tasks[place].settled = record.time
        case .taskCompleted: (tasks[place].closing, tasks[place].settled) = (record.event, record.time)
        case .taskCancelled:
            (tasks[place].closing, tasks[place].settled) = (record.event, record.time)
            for step in tasks[place].steps.indices { tasks[place].steps[step].running = nil }
            waiting.removeAll { $0.task == place }
        default: break
        }
    }

    private mutating func begin(_ place: Int, _ start: AttemptStart, _ record: EventRecord) {
        leaveQueue(place, start.step)
        if let worker = workers.firstIndex(where: { $0.join.worker == start.worker }) { workers[worker].busy += 1 }
        tasks[place].hasStarted = true
        lastStarts[tasks[place].submission.namespace] = record.number
        limits.start(tasks[place].submission.namespace, tasks[place].template.steps[start.step].handler, record)
        tasks[place].steps[start.step].startCount += 1
        tasks[place].steps[start.step].running = record.number
        tasks[place].steps[start.step].kind = start.workerKind
        tasks[place].steps[start.step].due = start.deadline
        held[record.number] = AttemptID(
            step: start.step, attempt: start.attempt, lease: record.number, worker: start.worker)
    }

    private mutating func leaveQueue(_ place: Int, _ step: StepIndex) {
        guard tasks[place].steps[step].enqueued != nil else { return }
        tasks[place].steps[step].enqueued = nil
        if let found = waiting.firstIndex(where: { $0.task == place && $0.step == step }) { waiting.remove(at: found) }
    }

    private mutating func end(_ place: Int, _ attempt: AttemptID) {
        tasks[place].steps[attempt.step].running = nil
        release(attempt)
    }

    private mutating func release(_ attempt: AttemptID) {
        // Workers' numbers begin anew with each start of the engine: an older lease has no worker any more.
        limits.end(attempt.lease)
        guard let taken = held.removeValue(forKey: attempt.lease), taken.lease > started else { return }
        if let worker = workers.firstIndex(where: { $0.join.worker == taken.worker }) { workers[worker].busy -= 1 }
    }
}

extension WorkerJoin {
    /// Whether the worker can run the handler for a template of the namespace.
    package func serves(_ handler: HandlerTemplate, in namespace: String) -> Bool {
        guard namespaces.isEmpty || namespaces.contains(namespace) else { return false }
        return switch handler.target {
        case .command: kind == .command
        case .callable(let name, _): kind != .command && handlers.contains { $0.name == name }
        }
    }
}
