import Glibc
public import StepwellEngine
package import StepwellLog
public import StepwellModel
public import StepwellWorker
import Synchronization

/// A workflow engine on a store of its own, in this process.
///
/// ```swift
/// let engine = try await Engine.open(".stepwell")
/// engine.register(Extract(), Transform())
/// let task = try await engine.submit(template, input: ["source": "production"])
/// let report = try await task.wait()
/// await engine.stop()
/// ```
///
/// Every accepted command is on disk before it is acknowledged. What was open when an engine on the same store ended, in
/// whatever way, goes on as soon as its handlers are registered.
public final class Engine: Sendable {
    package let core: EngineCore
    package let store: LMDBLog
    package let options: EngineOptions
    let processes: ProcessContext
    let supervisors = Mutex<[WorkerSupervisor]>([])
    private let commands: CommandRunner?
    /// What the start found: tasks that were open, attempts that were running.
    public let recovery: RecoveryReport

    private init(
        core: EngineCore, store: LMDBLog, options: EngineOptions, mark: EngineMark, recovery: RecoveryReport
    ) {
        self.core = core
        self.store = store
        self.options = options
        self.recovery = recovery
        processes = ProcessContext(host: core, mark: mark)
        commands = options.isPassive ? nil : CommandRunner(context: processes, slots: options.commandSlots)
    }

    /// Opens the store in that directory, makes one if there is none, and recovers what was open.
    ///
    /// - Throws: ``LogError``: another engine has the store (`store_locked`), it cannot be written, the disk is full, its
    ///   format is another one, or it is damaged.
    public static func open(_ path: String, options: EngineOptions = EngineOptions()) async throws -> Engine {
        let startedAt = monotonicMilliseconds()
        let store = try LMDBLog(path: path)
        // What a killed engine has left running would otherwise run beside its second attempt. By its place too, or else an
        // engine on a copy would end what one on the original runs.
        let mark = EngineMark(storeID: try store.placedID(), start: String(UInt64.random(in: .min ... .max), radix: 16))
        let processesEnded = Orphans.kill(storeID: mark.storeID, except: mark.start)
        let core = try EngineCore(
            log: store, limits: options.limits, clock: options.clock,
            secrets: .here(directory: options.secretsDirectory), observers: options.observers,
            isHeld: options.isHeld)
        let start = EngineStart.here(focus: try options.focus(store), reason: options.reason)
        var recovery = try core.start(start, startedAt: startedAt)
        recovery.processesEnded = processesEnded
        return Engine(core: core, store: store, options: options, mark: mark, recovery: recovery)
    }

    // MARK: Handlers

    /// Registers handlers, which share `options.slots` places. Steps that wait for them start at once.
    public func register(_ handlers: any StepHandler...) {
        register(handlers.map { HandlerFunction(opening: $0) })
    }

    /// Registers a closure as a handler. Each call has `options.slots` places of its own.
    ///
    /// ```swift
    /// engine.register("greet") { context in
    ///     .success(["text": .string("Hello, \(try await context.input("name") ?? "world")!")])
    /// }
    /// ```
    public func register(
        _ name: String, version: String = "1.0.0",
        call: @escaping @Sendable (StepContext) async throws -> StepResult
    ) {
        register([HandlerFunction(name, version: version, call: call)])
    }

    /// Registers handlers made of closures, which share `options.slots` places.
    public func register(_ handlers: [HandlerFunction]) {
        let runner = InProcessRunner(
            host: core,
            handlers: Dictionary(handlers.map { ($0.name, $0.runner(core)) }, uniquingKeysWith: { _, last in last }))
        let join = WorkerJoin(
            worker: core.nextWorkerID(), name: "in-process", kind: .inProcess,
            handlers: handlers.map { HandlerVersion(name: $0.name, version: $0.version) }, slots: options.slots)
        core.join(join, runner: runner)
    }

    // MARK: Tasks

    /// Submits a task. It is on disk when this returns.
    ///
    /// - Parameters:
    ///   - input: a JSON object.
    ///   - key: the identity key: at most one task of this namespace and name is found by it.
    ///   - priority: -100 to 100, a greater number goes first; nil: what the template says.
    ///   - replacing: with a key that has a task already, submit another one, which the key then names.
    /// - Throws: ``EngineError``: `rejected` when the key has a task already or the template asks for what is not
    ///   supported; ``InputError`` when the input is no object or does not fit the template's `input_schema`.
    @discardableResult
    public func submit(
        _ template: Template, input: JSON = [:], key: String? = nil, replacing: Bool = false, priority: Int? = nil,
        correlationID: String? = nil, tags: [String] = [], reason: String? = nil
    ) async throws -> TaskHandle {
        try await submit(
            template, input: JSONText(input),
            SubmitOptions(
                key: key, replacing: replacing, priority: priority, correlationID: correlationID, tags: tags,
                reason: reason, actor: Actor(.client)))
    }

    package func submit(_ template: Template, input: JSONText, _ options: SubmitOptions) async throws -> TaskHandle {
        try InputError.check(input, against: template)
        let id = options.id ?? newTaskID()
        try await core.send(
            .submitTask(
                id, Submission(template, input, options, id), template, known: nil, replacing: options.replacing),
            by: options.actor)
        return TaskHandle(id: id, engine: self)
    }

    /// Submits a task that takes over results of another one; the other is not touched.
    package func fork(_ plan: ForkPlan, _ options: SubmitOptions) async throws -> TaskHandle {
        try InputError.check(plan.input, against: plan.template)
        let id = options.id ?? newTaskID()
        try await core.send(plan.command(id, options), by: options.actor)
        return TaskHandle(id: id, engine: self)
    }

    package func newTaskID() -> TaskID {
        TaskID(time: core.clock.now(), random: (.random(in: .min ... .max), .random(in: .min ... .max)))
    }

    /// Throws what ``submit(_:input:key:replacing:priority:correlationID:tags:reason:)`` would refuse before any work.
    package static func check(_ template: Template, input: JSONText) throws {
        guard template.unsupported.isEmpty else {
            throw EngineError.rejected(.unsupported(template.unsupported))
        }
        try InputError.check(input, against: template)
    }

    /// A task of the store, open or closed.
    public func task(_ id: TaskID) -> TaskHandle { TaskHandle(id: id, engine: self) }

    /// The newest task of that namespace and name with that key.
    public func task(namespace: String, name: String, key: String) async throws -> TaskHandle? {
        try store.task(namespace: namespace, name: name, key: key).map { TaskHandle(id: $0, engine: self) }
    }

    // MARK: Stopping

    /// Stops in good order: no further attempt starts, those that run may end within the grace time, the rest is told to
    /// end and is run again by the next engine on the store, which may be opened as soon as this returns. Reports of tasks can
    /// still be read.
    public func stop(grace: Duration = .seconds(10)) async {
        await core.drain(grace: Milliseconds(grace))
        await endWorkers()
        await core.stop()
        processes.reactor.stop()
        store.endWriting()
    }
}

/// Who submits a task, and how.
package struct SubmitOptions: Sendable {
    /// Made by the caller, who has a use for it before the task is submitted.
    package var id: TaskID?
    package var key: String?
    package var replacing = false
    /// Nil: the template's.
    package var priority: Int?
    package var correlationID: String?
    package var parentCorrelationID: String?
    package var tags: [String] = []
    package var initiator: String?
    package var sourceSystem: String?
    package var reason: String?
    package var actor = Actor(.client)
    /// Of the span that the task is submitted within.
    package var traceparent: String?

    package init(
        key: String? = nil, replacing: Bool = false, priority: Int? = nil, correlationID: String? = nil,
        tags: [String] = [], initiator: String? = nil, sourceSystem: String? = nil, reason: String? = nil,
        actor: Actor = Actor(.client)
    ) {
        self.key = key
        self.replacing = replacing
        self.priority = priority
        self.correlationID = correlationID
        self.tags = tags
        self.initiator = initiator
        self.sourceSystem = sourceSystem
        self.reason = reason
        self.actor = actor
    }
}

extension EngineStart {
    /// This process on this machine.
    static func here(focus: TaskID?, reason: String?) -> EngineStart {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let host = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return EngineStart(
            version: stepwellVersion, processID: Int(getpid()), host: String(decoding: host, as: UTF8.self),
            focus: focus, reason: reason)
    }
}

extension HandlerFunction {
    fileprivate init(opening handler: some StepHandler) { self.init(handler) }
}

extension Submission {
    package init(_ template: Template, _ input: JSONText, _ options: SubmitOptions, _ id: TaskID) {
        self.init(
            template: template.digest, namespace: template.namespace, name: template.name, version: template.version,
            environment: template.environment, input: input, priority: options.priority ?? template.priority,
            key: options.key, correlationID: options.correlationID ?? id.description,
            parentCorrelationID: options.parentCorrelationID, initiator: options.initiator,
            sourceSystem: options.sourceSystem, reason: options.reason, tags: options.tags,
            traceparent: options.traceparent)
    }
}

extension ForkPlan {
    /// What the engine is asked for.
    package func command(_ id: TaskID, _ options: SubmitOptions) -> Command {
        var submission = Submission(template, input, options, id)
        submission.forkedFrom = origin
        submission.adopted = results.map(\.step)
        return .forkTask(id, submission, template, results: results)
    }
}
