import StepwellHistory
import StepwellKernel
import StepwellLog
import StepwellModel

/// A task's life, decided by the kernel and kept in a log: what reports are read from.
struct Recorded {
    static let begin = Timestamp(milliseconds: 1_700_000_000_000)

    let log: any EventLog
    /// The task that was submitted last.
    private(set) var task = TaskID(time: Recorded.begin, random: (1, 2))
    private var template: Template
    private var state = State()
    private var now = Recorded.begin
    /// The last attempt of each step.
    private var attempts: [StepIndex: AttemptID] = [:]

    init(
        _ template: Template, input: JSONText = .emptyObject, key: String? = nil, priority: Int = 0, slots: Int = 50,
        log: any EventLog = MemoryLog()
    ) throws {
        self.log = log
        self.template = template
        try start()
        try join(1, slots: slots)
        try submit(input, key: key, priority: priority)
    }

    private mutating func submit(_ input: JSONText, key: String?, priority: Int) throws {
        let submission = Submission(
            template: template.digest, namespace: template.namespace, name: template.name, version: template.version,
            input: input, priority: priority, key: key, correlationID: "c")
        try record(.submitTask(task, submission, template, known: nil, replacing: false), by: .client)
    }

    init(_ steps: [StepTemplate], slots: Int = 50, log: any EventLog = MemoryLog()) throws {
        try self.init(Template(steps), slots: slots, log: log)
    }

    func report() throws -> TaskReport? { try TaskReport.read(task, from: log) }

    // MARK: What happens

    mutating func start(focus: TaskID? = nil) throws {
        try record(.startEngine(EngineStart(version: "1", processID: 1, host: "here", focus: focus)), by: .engine)
    }

    mutating func stop() throws { try record(.stopEngine, by: .engine) }

    /// Submits another task, which the methods are about from now on.
    mutating func submitAnother(
        _ template: Template? = nil, input: JSONText = .emptyObject, key: String? = nil
    ) throws {
        self.template = template ?? self.template
        task = TaskID(high: task.high, low: task.low + 1)
        attempts = [:]
        try submit(input, key: key, priority: 0)
    }

    mutating func checkpoint(_ step: String, _ data: String) throws {
        try record(.checkpointAttempt(task, attempts[index(step)]!, data: JSONText(data)), by: .worker)
    }

    /// The handler of the step's last attempt writes a line.
    func write(_ step: String, _ text: String) throws {
        let attempt = attempts[index(step)]!
        var batch = LogBatch()
        batch.logLines = [
            LogLine(
                task: task, step: attempt.step, attempt: attempt.attempt, lease: attempt.lease, number: 0, time: now,
                level: .info, text: text)
        ]
        try log.append(batch)
    }

    /// Reports an end of the step's last attempt a second time, or too late.
    mutating func succeedAgain(_ step: String) throws { try end(step, .succeeded(.null, metadata: nil)) }

    mutating func pass(_ milliseconds: Int64) throws {
        now = now.advanced(by: Milliseconds(milliseconds))
        try turn { state, turn in state.performDueTimers(in: &turn) }
    }

    mutating func join(_ worker: UInt32, slots: Int = 50, handler: String = "h") throws {
        try record(
            .joinWorker(
                WorkerJoin(
                    worker: WorkerID(worker), name: "python#\(worker)", kind: .process,
                    handlers: [HandlerVersion(name: handler, version: "1")], slots: slots)),
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

    mutating func retry(reason: String? = nil) throws {
        try record(.retryTask(task, steps: [], reason: reason), by: .operator)
    }

    mutating func cancel(_ reason: String?) throws { try record(.cancelTask(task, reason: reason), by: .operator) }

    mutating func pause(_ reason: String?) throws { try record(.pauseTask(task, reason: reason), by: .operator) }

    mutating func resume(_ reason: String?) throws { try record(.resumeTask(task, reason: reason), by: .operator) }

    private mutating func end(_ step: String, _ outcome: AttemptOutcome) throws {
        try record(.finishAttempt(task, attempts[index(step)]!, outcome), by: .worker)
    }

    // MARK: Turns

    private func index(_ step: String) -> StepIndex { template.steps.firstIndex { $0.name == step }! }

    private mutating func record(_ command: Command, by actor: Actor.Kind) throws {
        let closed = state[task] == nil ? try log.task(task) : nil
        let id =
            switch actor {
            case .worker: "python#1"
            case .operator, .client: "ada"
            default: ""
            }
        try turn { state, turn in try state.perform(command, by: Actor(actor, id: id), closed: closed, in: &turn) }
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

extension Template {
    init(_ steps: [StepTemplate]) {
        self.init(namespace: "tests", name: "report", version: "1.2.0", steps: steps)
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
