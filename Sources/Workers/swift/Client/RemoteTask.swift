public import StepwellModel

/// One task of a server with its steps, as it was when the server was asked.
public struct RemoteTask: Sendable {
    public let id: String
    public let namespace: String
    public let name: String
    public let version: String
    /// Such as `in_progress` or `complete`; `docs/states.md` has all of them.
    public let state: String
    public let input: JSON
    public let idempotencyKey: String?
    public let priority: Int
    public let submitted: Timestamp?
    /// Set when the task is closed.
    public let completed: Timestamp?
    /// In the template's order.
    public let steps: [RemoteStep]
    /// All that the server has said.
    public let json: JSON

    init(_ json: JSON) throws(BadAnswer) {
        id = try json.text("task_id")
        (namespace, name) = (try json.text("namespace"), try json.text("name"))
        (version, state) = (try json.text("version"), try json.text("state"))
        input = json["input"] ?? [:]
        idempotencyKey = json["key"]?.string
        priority = json["priority"]?.int.map { Int($0) } ?? 0
        (submitted, completed) = (json.time("submitted_at"), json.time("completed_at"))
        var steps: [RemoteStep] = []
        for member in json["steps"]?.members ?? [] { steps.append(try RemoteStep(member.value, name: member.name)) }
        self.steps = steps
        self.json = json
    }

    public subscript(step: String) -> RemoteStep? { steps.first { $0.name == step } }

    /// The result of a step; nil while there is none.
    public func result(_ step: String) -> JSON? { self[step]?.result }

    /// Nothing more happens to it by itself; it may be blocked by failures, or paused.
    public var isSettled: Bool {
        guard let state = TaskState(name: state) else { return false }
        return state.isClosed || state == .blockedByFailures || state == .paused
    }

    /// All is done, and nothing was left out by hand.
    public var isComplete: Bool { state == TaskState.complete.name }

    /// The id, under Tasker's name.
    public var taskUUID: String { id }
    /// The state, under Tasker's name.
    public var status: String { state }
}

/// One step of a ``RemoteTask``.
public struct RemoteStep: Sendable {
    public let name: String
    /// Such as `enqueued` or `complete`.
    public let state: String
    public let attempts: Int
    public let maxAttempts: Int
    /// Nil while there is none, or when it was resolved by hand without one.
    public let result: JSON?
    /// Why the last attempt failed.
    public let failure: Failure?
    public let started: Timestamp?
    public let completed: Timestamp?
    /// All that the server has said.
    public let json: JSON

    init(_ json: JSON, name: String? = nil) throws(BadAnswer) {
        if let name { self.name = name } else { self.name = try json.text("name") }
        state = try json.text("state")
        attempts = json["attempts"]?.int.map { Int($0) } ?? 0
        maxAttempts = json["max_attempts"]?.int.map { Int($0) } ?? 0
        result = json["result"]
        failure = json["error"].flatMap { $0.isNull ? nil : Failure(told: $0) }
        (started, completed) = (json.time("started_at"), json.time("completed_at"))
        self.json = json
    }

    /// The result as a value; nil while there is none.
    /// - Throws: `DecodingError` when it has another shape.
    public func result<Value: Decodable>(as type: Value.Type) throws -> Value? {
        try result.map { try JSONText($0).decoded(as: type) }
    }
}

/// One line of a list of tasks.
public struct RemoteTaskSummary: Sendable {
    public let id: String
    public let namespace: String
    public let name: String
    public let version: String
    public let state: String
    public let idempotencyKey: String?
    public let steps: Int
    public let stepsDone: Int
    public let stepsFailed: Int
    public let submitted: Timestamp?
    public let changed: Timestamp?
    /// All that the server has said.
    public let json: JSON

    init(_ json: JSON) throws(BadAnswer) {
        id = try json.text("task_id")
        (namespace, name) = (try json.text("namespace"), try json.text("name"))
        (version, state) = (try json.text("version"), try json.text("state"))
        idempotencyKey = json["key"]?.string
        steps = Int(json["steps"]?.int ?? 0)
        (stepsDone, stepsFailed) = (Int(json["steps_done"]?.int ?? 0), Int(json["steps_failed"]?.int ?? 0))
        (submitted, changed) = (json.time("submitted_at"), json.time("changed_at"))
        self.json = json
    }

    /// The id, under Tasker's name.
    public var taskUUID: String { id }
    /// The state, under Tasker's name.
    public var status: String { state }
}

/// A page of a list of tasks, newest first.
public struct RemoteTaskPage: Sendable {
    public let tasks: [RemoteTaskSummary]
    /// The cursor of the page after it; nil at the end.
    public let next: String?
}

/// What came of one task of a batch.
public struct CreatedTask: Hashable, Sendable {
    public let id: String
    /// False when its idempotency key had a task already.
    public let isNew: Bool
}

extension Failure {
    /// What a server says of it.
    fileprivate init(told json: JSON) {
        self.init(
            message: json["message"]?.string ?? "", errorType: json["error_type"]?.string ?? "handler_error",
            errorCode: json["error_code"]?.string, retryable: json["retryable"]?.bool ?? true,
            retryAfter: json["retry_after_ms"]?.int.map { Milliseconds($0) }, backtrace: json["backtrace"]?.string,
            metadata: json["metadata"].map { JSONText($0) })
    }
}
