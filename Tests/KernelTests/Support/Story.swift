import StepwellKernel
import StepwellModel
import Testing

/// A run told command by command: each method is one turn, and gives the lines of what it recorded.
///
/// Tasks go by labels; the one without a label is the story's own. Every turn's records are also folded into a second state,
/// which must stay equal to the first.
struct Story {
    private(set) var driver = Driver()
    private var twin = State()
    private let template: Template
    private var tasks: [String: TaskID] = [:]
    /// The last attempt of each step that was given to a worker.
    private var deliveries: [TaskID: [StepIndex: Delivery]] = [:]
    private var templateCount = 0
    /// What left the engine after the last turn.
    private(set) var effects: [String] = []

    init(_ steps: [StepTemplate], workers: [WorkerJoin] = [.offering("h", slots: 100)]) {
        template = .of(steps)
        _ = act(.startEngine(EngineStart(version: "1", processID: 1, host: "here")), by: .engine)
        for join in workers { _ = act(.joinWorker(join), by: .engine) }
    }

    // MARK: What may be asked for

    mutating func submit(
        _ label: String = "", steps: [StepTemplate]? = nil, key: String? = nil, priority: Int = 0,
        replacing: Bool = false, namespace: String = "tests"
    ) throws -> [String] {
        let request = submission(
            label, steps: steps, key: key, priority: priority, replacing: replacing, namespace: namespace)
        return try turn([request])
    }

    /// The wish to submit a task, for a turn of several.
    mutating func submission(
        _ label: String = "", steps: [StepTemplate]? = nil, key: String? = nil, priority: Int = 0,
        replacing: Bool = false, namespace: String = "tests"
    ) -> Request {
        templateCount += 1
        let id = TaskID(high: 7, low: UInt64(templateCount))
        tasks[label] = id
        var template = steps.map(Template.of) ?? template
        template.namespace = namespace
        let digest = TemplateDigest(Array((steps == nil ? namespace : "template \(templateCount)").utf8))
        return driver.submit(
            id, template, digest: digest, key: key, priority: priority,
            replacing: replacing)
    }

    mutating func succeed(_ step: String, of label: String = "") throws -> [String] {
        try turn([answer(step, of: label, .success)])
    }

    mutating func fail(
        _ step: String, of label: String = "", retryable: Bool = true, retryAfter: Milliseconds? = nil
    ) throws -> [String] {
        try turn([answer(step, of: label, .failure(retryable: retryable, retryAfter: retryAfter))])
    }

    mutating func stop(_ step: String, of label: String = "") throws -> [String] {
        try turn([answer(step, of: label, .stopped)])
    }

    mutating func checkpoint(_ step: String, of label: String = "") throws -> [String] {
        let attempt = attempt(step, of: label)
        return try turn([.init(.checkpointAttempt(self[label], attempt, data: .emptyObject), by: .worker)])
    }

    mutating func pass(_ milliseconds: Int64) throws -> [String] {
        driver.now = driver.now.advanced(by: Milliseconds(milliseconds))
        return try turn([])
    }

    mutating func retry(_ steps: String..., of label: String = "") throws -> [String] {
        let steps = steps.map { index($0, of: label) }
        return try turn([.init(.retryTask(self[label], steps: steps, reason: nil), by: .operator)])
    }

    mutating func cancel(_ label: String = "") throws -> [String] {
        try turn([.init(.cancelTask(self[label], reason: nil), by: .operator)])
    }

    mutating func resolve(_ step: String, of label: String = "", result: JSONText? = nil) throws -> [String] {
        let step = index(step, of: label)
        return try turn([.init(.resolveStep(self[label], step, result: result, reason: nil), by: .operator)])
    }

    mutating func pause(_ label: String = "") throws -> [String] {
        try turn([.init(.pauseTask(self[label], reason: nil), by: .operator)])
    }

    mutating func resume(_ label: String = "") throws -> [String] {
        try turn([.init(.resumeTask(self[label], reason: nil), by: .operator)])
    }

    mutating func limit(
        _ target: LimitTarget, to concurrencyMax: Int? = nil, rate: String? = nil, burst: Int? = nil
    ) throws -> [String] {
        let setting = LimitSetting(
            target, concurrencyMax: concurrencyMax, rate: rate.flatMap { StartRate($0, burst: burst) })
        return try turn([.init(.setLimit(setting, reason: nil), by: .operator)])
    }

    mutating func unlimit(_ target: LimitTarget) throws -> [String] {
        try turn([.init(.removeLimit(target, reason: nil), by: .operator)])
    }

    mutating func join(_ join: WorkerJoin) -> [String] { act(.joinWorker(join), by: .engine) }

    mutating func lose(_ worker: UInt32) -> [String] {
        act(.loseWorker(WorkerID(worker), reason: "exit status 1"), by: .engine)
    }

    mutating func stopEngine() -> [String] { act(.stopEngine, by: .engine) }

    /// The engine has died and starts again; its workers are gone.
    mutating func restart() -> [String] {
        act(.startEngine(EngineStart(version: "1", processID: 2, host: "here")), by: .engine)
    }

    private mutating func act(_ command: Command, by kind: Actor.Kind) -> [String] {
        do {
            return try turn([.init(command, by: kind)])
        } catch {
            Issue.record("\(error)")
            return []
        }
    }

    /// Several requests in one turn. The first refusal is thrown, but the others have had their effect.
    mutating func turn(_ requests: [Request]) throws -> [String] {
        let answer = driver.turn(requests)
        for record in answer.records {
            if case .taskSubmitted(let submission) = record.event {
                twin.adopt(Plan(driver.templates[submission.template]!, digest: submission.template))
            }
            try twin.apply(record)
        }
        if twin.content != driver.state.content {
            Issue.record("what was folded differs from what was decided after \(answer.records.map(lines.line))")
        }
        for case .deliver(let delivery) in answer.effects {
            deliveries[delivery.task, default: [:]][delivery.attempt.step] = delivery
        }
        effects = answer.effects.compactMap(lines.line)
        if let refused = answer.rejections.keys.min() { throw answer.rejections[refused]! }
        return answer.records.map(lines.line)
    }

    // MARK: What may be seen

    enum End {
        case success
        case failure(retryable: Bool = true, retryAfter: Milliseconds? = nil)
        case stopped
    }

    /// What the worker of the step's last attempt reports.
    func answer(_ step: String, of label: String = "", _ end: End) -> Request {
        .init(.finishAttempt(self[label], attempt(step, of: label), end.outcome), by: .worker)
    }

    func attempt(_ step: String, of label: String = "") -> AttemptID { delivery(step, of: label).attempt }

    func delivery(_ step: String, of label: String = "") -> Delivery {
        deliveries[self[label]]![index(step, of: label)]!
    }

    subscript(label: String) -> TaskID { tasks[label]! }

    func state(of label: String = "") -> TaskState { driver.index[self[label]]!.state }

    func state(_ step: String, of label: String = "") -> StepState {
        driver.state[self[label]]!.steps[index(step, of: label)].state
    }

    private func index(_ step: String, of label: String) -> StepIndex {
        let template = driver.index[self[label]].flatMap { driver.templates[$0.template] }
        return template!.steps.firstIndex { $0.name == step } ?? 99
    }

    private var lines: Lines {
        Lines(
            template: { [driver] id in
                driver.index[id].flatMap { driver.templates[$0.template] }
            },
            label: { [tasks] id in tasks.first { $0.value == id }?.key ?? "" })
    }
}

extension Story.End {
    var outcome: AttemptOutcome {
        switch self {
        case .success: .succeeded(.emptyObject, metadata: nil)
        case .failure(let retryable, let retryAfter):
            .failed(Failure(message: "no", retryable: retryable, retryAfter: retryAfter))
        case .stopped: .stopped
        }
    }
}

extension WorkerJoin {
    static func offering(
        _ handlers: String..., id: UInt32 = 1, kind: Kind = .process, slots: Int = 1, namespaces: [String] = []
    ) -> WorkerJoin {
        WorkerJoin(
            worker: WorkerID(id), name: "worker#\(id)", kind: kind,
            handlers: handlers.map { HandlerVersion(name: $0, version: "1") }, slots: slots, namespaces: namespaces)
    }
}

extension Template {
    static func of(_ steps: [StepTemplate]) -> Template {
        Template(namespace: "tests", name: "story", version: "1", steps: steps)
    }
}

/// Steps from a line such as `extract, clean < extract, load < clean extract`.
func steps(
    _ text: String, handler: String = "h", retry: RetryPolicy = RetryPolicy(), timeout: Milliseconds? = nil
) -> [StepTemplate] {
    let parts = text.split(separator: ",").map { part in
        part.split(separator: "<").map { $0.split(separator: " ").map(String.init) }
    }
    return parts.map { part in
        StepTemplate(
            name: part[0][0], handler: .callable(handler),
            dependencies: (part.count > 1 ? part[1] : []).map { name in parts.firstIndex { $0[0][0] == name }! },
            retry: retry, timeout: timeout)
    }
}
