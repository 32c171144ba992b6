public import StepwellModel

/// What a handler knows of its step, and what it may ask and tell while it runs.
public struct StepContext: Sendable {
    private let backend: any StepContextBackend
    /// The step's log: `stepwell logs TASK STEP` shows it.
    public let log: StepLog

    package init(_ backend: any StepContextBackend) {
        self.backend = backend
        log = StepLog(backend: backend)
    }

    // MARK: Where it runs

    public var taskID: TaskID { backend.taskID }
    /// The same over all attempts of the step.
    public var stepID: TaskID { backend.stepID }
    public var stepName: String { backend.stepName }
    /// Which method of the handler is asked for: `call`, unless the template says otherwise.
    public var method: String { backend.method }
    /// The names of the template that the task was submitted with.
    public var namespace: String { backend.namespace }
    public var taskName: String { backend.taskName }
    public var taskVersion: String { backend.taskVersion }
    /// 1 for the first.
    public var attempt: Int { backend.attempt }
    public var maxAttempts: Int { backend.maxAttempts }
    public var isRetry: Bool { attempt > 1 }
    public var isLastAttempt: Bool { attempt >= maxAttempts }
    /// The same over all attempts of the step: for systems that let a request be repeated safely.
    public var idempotencyKey: String { backend.idempotencyKey }
    /// W3C `traceparent` of the attempt's span, for what the handler calls.
    public func traceparent() async throws -> String? { try await backend.traceparent() }
    /// When the attempt is ended, if the step has a timeout.
    public var deadline: Timestamp? { backend.deadline }
    /// The attempt is to end: its time is over, or its task was cancelled. What it returns is not accepted any more.
    public var isCancelled: Bool { Task.isCancelled }

    /// Throws when the attempt is to end: a place to stop in long work.
    public func checkCancellation() throws {
        try Task.checkCancellation()
    }

    // MARK: What it works on

    /// The task's input.
    public func input() async throws -> JSON { try await backend.input().json }

    /// A member of the task's input; nil when it is absent or null.
    public func input<Value: Decodable>(_ name: String, as type: Value.Type = Value.self) async throws -> Value? {
        guard let value = try await input()[name], !value.isNull else { return nil }
        return try JSONText(value).decoded(as: type)
    }

    /// The whole input as a value.
    public func input<Value: Decodable>(as type: Value.Type) async throws -> Value {
        try await backend.input().decoded(as: type)
    }

    /// The step's `handler.initialization`.
    public var configuration: JSON { backend.configuration.json }

    public func configuration<Value: Decodable>(as type: Value.Type) throws -> Value {
        try backend.configuration.decoded(as: type)
    }

    /// The names of the steps that this one depends on directly, in the template's order.
    public var dependencies: [String] { backend.dependencies }

    /// The complete result of an ancestor, near or far. Nil when it was resolved by hand without one.
    /// - Throws: when the step is no ancestor of this one.
    public func dependencyResult(_ step: String) async throws -> JSON? {
        try await backend.dependencyResult(step)?.json
    }

    /// The complete result of an ancestor as a value.
    /// - Throws: a permanent ``Failure`` when there is none, `DecodingError` when it has another shape.
    public func dependencyResult<Value: Decodable>(_ step: String, as type: Value.Type) async throws -> Value {
        guard let result = try await backend.dependencyResult(step) else {
            throw Failure(
                message: "there is no result of '\(step)'", errorType: "missing_dependency", retryable: false)
        }
        return try result.decoded(as: type)
    }

    // MARK: What it tells

    /// What the step last remembered with ``saveCheckpoint(_:)``, in an earlier attempt or this one.
    public func checkpoint() async throws -> JSON? { try await backend.checkpoint()?.json }

    public func checkpoint<Value: Decodable>(as type: Value.Type) async throws -> Value? {
        try await backend.checkpoint()?.decoded(as: type)
    }

    /// Remembers where the work stands, for the next attempt. On disk when this returns.
    /// - Throws: when the attempt has no say any more.
    public func saveCheckpoint(_ data: JSON) async throws {
        try await backend.saveCheckpoint(JSONText(data))
    }

    public func saveCheckpoint(encoding data: some Encodable) async throws {
        try await backend.saveCheckpoint(JSONText(encoding: data))
    }

    /// Says that the handler is alive, and how far it is; shown in the live view.
    public func heartbeat(progress: JSON? = nil) {
        backend.heartbeat(progress.map { JSONText($0) })
    }
}

/// The step's log.
public struct StepLog: Sendable {
    fileprivate let backend: any StepContextBackend

    public func debug(_ text: String) { backend.log(.debug, text) }
    public func info(_ text: String) { backend.log(.info, text) }
    public func warning(_ text: String) { backend.log(.warning, text) }
    public func error(_ text: String) { backend.log(.error, text) }
}

/// Where a context gets what it hands out: the engine's own process, or the worker protocol.
package protocol StepContextBackend: Sendable {
    var taskID: TaskID { get }
    var stepID: TaskID { get }
    var stepName: String { get }
    var method: String { get }
    var namespace: String { get }
    var taskName: String { get }
    var taskVersion: String { get }
    var attempt: Int { get }
    var maxAttempts: Int { get }
    var idempotencyKey: String { get }
    var deadline: Timestamp? { get }
    var configuration: JSONText { get }
    var dependencies: [String] { get }

    func traceparent() async throws -> String?
    func input() async throws -> JSONText
    func dependencyResult(_ step: String) async throws -> JSONText?
    func checkpoint() async throws -> JSONText?
    func saveCheckpoint(_ data: JSONText) async throws
    func heartbeat(_ progress: JSONText?)
    func log(_ level: LogLine.Level, _ text: String)
}
