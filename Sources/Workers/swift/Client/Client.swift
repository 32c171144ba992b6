import Glibc
import StepwellHTTP
public import StepwellModel

/// Submits tasks to a server (`stepwell serve`), looks at them, waits for them. May be used by many Swift tasks at the same time.
///
/// ```swift
/// let client = try Client(url: "http://127.0.0.1:7420")
/// let task = try await client.createTask(name: "prices", namespace: "shop", context: ["currency": "EUR"])
/// print(try await client.wait(task.id, timeout: .seconds(60)).result("add") ?? .null)
/// ```
///
/// All methods throw a ``ClientError``, whose `code` is the server's, or `CancellationError` when the Swift task that asks is
/// cancelled. Tasks are named by their id, the unique beginning of one, their idempotency key, or `last`.
public final class Client: Sendable {
    let requests: Requests
    private let initiator: String?
    private let sourceSystem: String?
    let timeout: Duration

    private static let standardURL = "http://127.0.0.1:7420"
    /// What one request of ``wait(_:timeout:)`` takes at most.
    private static let waitSlice = Duration.seconds(30)

    /// - Parameters:
    ///   - url: `http://host:port`, `https://host:port`, or `unix:PATH`; else STEPWELL_URL, else `http://127.0.0.1:7420`.
    ///   - token: else STEPWELL_TOKEN.
    ///   - initiator: who submits tasks, for the log.
    ///   - sourceSystem: which system submits them, for the log.
    ///   - timeout: how long an answer may take.
    /// - Throws: ``ClientError/badAddress(_:reason:)``. Nothing is sent yet.
    public init(
        url: String? = nil, token: String? = nil, initiator: String? = nil, sourceSystem: String? = nil,
        timeout: Duration = .seconds(60)
    ) throws(ClientError) {
        let text = url ?? environmentVariable("STEPWELL_URL") ?? Self.standardURL
        do throws(HTTPError) {
            requests = Requests(try HTTPAddress(text), token: token ?? environmentVariable("STEPWELL_TOKEN"))
        } catch .badAddress(_, let reason) {
            throw .badAddress(text, reason: reason)
        } catch { throw .badAddress(text, reason: error.message) }
        (self.initiator, self.sourceSystem, self.timeout) = (initiator, sourceSystem, timeout)
    }

    // MARK: Tasks

    /// Submits a task of a template; it is on disk when this returns.
    ///
    /// - Parameters:
    ///   - version: nil: the newest.
    ///   - context: the task's input, an object.
    ///   - idempotencyKey: the same key gives the same task, however often it is sent; with `replace` another one.
    @discardableResult
    public func createTask(
        name: String, namespace: String = "default", version: String? = nil, context: JSON = [:],
        priority: Int? = nil, tags: [String] = [], correlationID: String? = nil, parentCorrelationID: String? = nil,
        idempotencyKey: String? = nil, replace: Bool = false, initiator: String? = nil, sourceSystem: String? = nil,
        reason: String? = nil
    ) async throws -> RemoteTask {
        var task = NewTask(
            name: name, namespace: namespace, version: version, context: context, idempotencyKey: idempotencyKey)
        (task.priority, task.tags, task.replace, task.reason) = (priority, tags, replace, reason)
        (task.correlationID, task.parentCorrelationID) = (correlationID, parentCorrelationID)
        (task.initiator, task.sourceSystem) = (initiator, sourceSystem)
        return try await createTask(task)
    }

    @discardableResult
    public func createTask(_ task: NewTask) async throws -> RemoteTask {
        var body = JSONWriter()
        signed(task).write(to: &body)
        return try await ask("POST", "/v1/tasks", body.bytes, isRepeatable: task.isRepeatable) {
            json throws(BadAnswer) in try RemoteTask(json)
        }
    }

    /// Submits many tasks: all, or none.
    @discardableResult
    public func createTasks(_ tasks: [NewTask]) async throws -> [CreatedTask] {
        let body = object { json in
            json.name("tasks")
            json.beginArray()
            for task in tasks { signed(task).write(to: &json) }
            json.endArray()
        }
        return try await ask("POST", "/v1/tasks/batch", body, isRepeatable: tasks.allSatisfy(\.isRepeatable)) {
            json throws(BadAnswer) in
            try json.list("tasks") { task throws(BadAnswer) in
                CreatedTask(id: try task.text("task_id"), isNew: task["created"]?.bool ?? false)
            }
        }
    }

    /// A task with its steps, as it is now.
    public func task(_ task: String) async throws -> RemoteTask {
        try await ask("GET", path("tasks", task)) { json throws(BadAnswer) in try RemoteTask(json) }
    }

    /// A page of the tasks that match, newest first.
    /// - Parameters:
    ///   - state: such as `blocked_by_failures`.
    ///   - cursor: the `next` of the page before.
    ///   - limit: at most so many, 1 to 1000; nil: 50.
    public func tasks(
        namespace: String? = nil, name: String? = nil, state: String? = nil, idempotencyKey: String? = nil,
        cursor: String? = nil, limit: Int? = nil
    ) async throws -> RemoteTaskPage {
        let query = query([
            ("namespace", namespace), ("name", name), ("state", state), ("key", idempotencyKey), ("cursor", cursor),
            ("limit", limit.map(String.init)),
        ])
        return try await ask("GET", "/v1/tasks" + query) { json throws(BadAnswer) in
            RemoteTaskPage(
                tasks: try json.list("tasks") { task throws(BadAnswer) in try RemoteTaskSummary(task) },
                next: json["next"]?.string)
        }
    }

    /// All tasks that match, newest first, page after page as they are asked for.
    public func allTasks(namespace: String? = nil, name: String? = nil, state: String? = nil) -> RemoteTasks {
        RemoteTasks { [self] cursor in
            let page = try await tasks(namespace: namespace, name: name, state: state, cursor: cursor)
            return (page.tasks, page.next)
        }
    }

    /// Waits until a task is settled: complete, cancelled, blocked by failures, or paused.
    ///
    /// It outlives a server that is started again; after five minutes without one, or when the time is over, it throws what was
    /// the trouble.
    /// - Throws: ``ClientError/notSettled(_:after:)`` after that time; without a time the wait has no end.
    public func wait(_ task: String, timeout limit: Duration? = nil) async throws -> RemoteTask {
        let end = limit.map { ContinuousClock.now + $0 }
        var absence = Absence(waitUntil: end)
        while true {
            let left = end.map { max(.zero, min(Self.waitSlice, $0 - .now)) } ?? Self.waitSlice
            let path = path("tasks", task) + "?wait=\(Int(left / .milliseconds(1)))ms"
            let found: RemoteTask
            do {
                found = try await ask("GET", path, limit: left + timeout) { json throws(BadAnswer) in
                    try RemoteTask(json)
                }
            } catch let error as ClientError {
                try await absence.outlast(error)
                continue
            }
            absence.ended()
            if found.isSettled { return found }
            if let end, let limit, ContinuousClock.now >= end { throw ClientError.notSettled(found, after: limit) }
        }
    }

    /// Ends a task: nothing more of it runs.
    @discardableResult
    public func cancelTask(_ task: String, reason: String? = nil) async throws -> RemoteTask {
        try await act(path("tasks", task, "cancel"), reason: reason)
    }

    /// Lets nothing further of a task begin; what runs goes on to its end.
    @discardableResult
    public func pauseTask(_ task: String, reason: String? = nil) async throws -> RemoteTask {
        try await act(path("tasks", task, "pause"), reason: reason)
    }

    /// Ends the pause of a task.
    @discardableResult
    public func resumeTask(_ task: String, reason: String? = nil) async throws -> RemoteTask {
        try await act(path("tasks", task, "resume"), reason: reason)
    }

    /// Lets failed steps begin again with fresh attempts: those named, or all of the task.
    @discardableResult
    public func retryTask(_ task: String, steps: [String] = [], reason: String? = nil) async throws -> RemoteTask {
        try await act(path("tasks", task, "retry"), reason: reason) { json in
            json.member("steps", ifNotEmpty: steps)
        }
    }

    // MARK: Steps

    /// The steps of a task, in the template's order.
    public func taskSteps(_ task: String) async throws -> [RemoteStep] {
        try await ask("GET", path("tasks", task, "steps")) { json throws(BadAnswer) in
            try json.list("steps") { step throws(BadAnswer) in try RemoteStep(step) }
        }
    }

    /// One step of a task.
    public func step(_ task: String, _ step: String) async throws -> RemoteStep {
        try await ask("GET", path("tasks", task, "steps", step)) { json throws(BadAnswer) in
            try RemoteStep(json, name: step)
        }
    }

    /// All events of a step as CloudEvents, oldest first.
    public func stepAuditHistory(_ task: String, _ step: String) async throws -> [JSON] {
        try await ask("GET", path("tasks", task, "steps", step, "audit")) { json throws(BadAnswer) in
            try json.list("events")
        }
    }

    /// Settles a step by hand, with or without a result, so that the steps after it can run.
    @discardableResult
    public func resolveStep(
        _ task: String, _ step: String, result: JSON? = nil, reason: String? = nil
    ) async throws -> RemoteTask {
        try await act(path("tasks", task, "steps", step, "resolve"), reason: reason) { json in
            if let result { json.member("result", result) }
        }
    }

    private func signed(_ task: NewTask) -> NewTask {
        var task = task
        task.initiator = task.initiator ?? initiator
        task.sourceSystem = task.sourceSystem ?? sourceSystem
        return task
    }
}

/// The name that authors of Tasker applications know.
public typealias TaskerClient = Client

/// A variable of the environment; nil when it is empty.
func environmentVariable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
}
