import StepwellHistory
import StepwellKernel
import StepwellLog
import StepwellModel

/// A task's life, decided by the kernel and kept in a log: what reports are read from.
struct Recorded {
    static let begin = Timestamp(milliseconds: 1_700_000_000_000)

    let log: any EventLog
    /// The newest.
    private(set) var task = TaskID(time: Recorded.begin, random: (1, 2))
    private let template: Template
    private var state = State()
    private var now = Recorded.begin
    /// The last attempt of each step.
    private var attempts: [StepIndex: AttemptID] = [:]

    init(
        _ template: Template, input: JSONText = .emptyObject, key: String? = nil, priority: Int = 0,
        log: any EventLog = MemoryLog()
    ) throws {
        self.log = log
        self.template = template
        try record(.startEngine(EngineStart(version: "1", processID: 1, host: "here")), by: .engine)
        try join(1)
        try submit(task, key: key, input: input, priority: priority)
    }

    init(_ steps: [StepTemplate], log: any EventLog = MemoryLog()) throws {
        try self.init(Template(namespace: "tests", name: "report", version: "1.2.0", steps: steps), log: log)
    }

    /// Another task of the same template; what happens from now on happens to it.
    mutating func submit(
        _ id: TaskID, key: String?, input: JSONText = .emptyObject, priority: Int = 0
    ) throws {
        task = id
        let submission = Submission(
            template: template.digest, namespace: template.namespace, name: template.name, version: template.version,
            input: input, priority: priority, key: key, correlationID: "c")
        try record(.submitTask(task, submission, template, known: nil, replacing: false), by: .client)
    }

    func report() throws -> TaskReport? { try TaskReport.read(task, from: log) }

    // MARK: What happens

    mutating func pass(_ milliseconds: Int64) throws {
        now = now.advanced(by: Milliseconds(milliseconds))
        try turn { state, turn in state.performDueTimers(in: &turn) }
    }

    mutating func join(_ worker: UInt32) throws {
        try record(
            .joinWorker(
                WorkerJoin(
                    worker: WorkerID(worker), name: "python#\(worker)", kind: .process,
                    handlers: [HandlerVersion(name: "h", version: "1")], slots: 50)),
            by: .engine)
    }

    mutating func lose(_ worker: UInt32) throws {
        try record(.loseWorker(WorkerID(worker), reason: "killed"), by: .engine)
    }

    mutating func succeed(_ step: String, _ result: String = "{}") throws {
        try end(step, .succeeded(try JSONText(result), metadata: nil))
    }

    mutating func fail(_ step: String, _ failure: Failure) throws { try end(step, .failed(failure)) }

    mutating func resolve(_ step: String, _ result: String?, reason: String? = nil) throws {
        try record(
            .resolveStep(task, index(step), result: try result.map { try JSONText($0) }, reason: reason),
            by: .operator)
    }

    mutating func retry() throws { try record(.retryTask(task, steps: [], reason: nil), by: .operator) }

    mutating func cancel(_ reason: String?) throws { try record(.cancelTask(task, reason: reason), by: .operator) }

    private mutating func end(_ step: String, _ outcome: AttemptOutcome) throws {
        try record(.finishAttempt(task, attempts[index(step)]!, outcome), by: .worker)
    }

    // MARK: Turns

    private func index(_ step: String) -> StepIndex { template.steps.firstIndex { $0.name == step }! }

    private mutating func record(_ command: Command, by actor: Actor.Kind) throws {
        let closed = state[task] == nil ? try log.task(task) : nil
        try turn { state, turn in try state.perform(command, by: Actor(actor), closed: closed, in: &turn) }
    }

    private mutating func turn(_ body: (inout State, inout Turn) throws -> Void) throws {
        var turn = Turn(time: now)
        try body(&state, &turn)
        state.end(&turn)
        var batch = LogBatch()
        batch.events = turn.records
        batch.tasks = turn.summaries
        batch.templates = [template.encoded()]
        try log.append(batch)
        for case .deliver(let delivery) in turn.effects { attempts[delivery.attempt.step] = delivery.attempt }
    }
}

extension StepTemplate {
    static func step(
        _ name: String, after dependencies: [StepIndex] = [], retry: RetryPolicy = RetryPolicy(),
        timeout: Milliseconds? = nil
    ) -> StepTemplate {
        StepTemplate(
            name: name, handler: .callable("h"), dependencies: dependencies, retry: retry, timeout: timeout)
    }
}
