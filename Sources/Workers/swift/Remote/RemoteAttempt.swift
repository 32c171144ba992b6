import StepwellModel
import Synchronization

/// A handler's view of its attempt, when the engine is elsewhere.
final class RemoteAttempt: StepContextBackend {
    let lease: Lease
    let session: Int
    let handler: String
    let method: String
    let taskID: TaskID
    let stepID: TaskID
    /// The largest checkpoint that the engine takes, in bytes.
    private let checkpointBytesMax: Int
    private let message: Message
    private let outbox: Outbox
    private let state = Mutex(State())

    private struct State {
        var task: Task<Void, Never>?
        var isCancelled = false
        var saved: JSONText?
        var checkpoints: [CheckedContinuation<String?, Never>] = []
        var fetches: [Int64: CheckedContinuation<Result<JSONText, Failure>, Never>] = [:]
        var lastFetch: Int64 = 0
    }

    init?(_ message: Message, session: Int, checkpointBytesMax: Int, outbox: Outbox) {
        guard let lease = message.lease, let handler = message.string("handler"),
            let taskID = message.string("task_id").flatMap({ TaskID($0) }),
            let stepID = message.string("step_id").flatMap({ TaskID($0) })
        else { return nil }
        (self.lease, self.session, self.handler, self.taskID, self.stepID) = (lease, session, handler, taskID, stepID)
        self.checkpointBytesMax = checkpointBytesMax
        method = message.string("method") ?? "call"
        (self.message, self.outbox) = (message, outbox)
    }

    var stepName: String { message.string("step") ?? "" }
    var namespace: String { message.string("namespace") ?? "default" }
    var taskName: String { message.string("task_name") ?? "" }
    var taskVersion: String { message.string("task_version") ?? "" }
    var attempt: Int { Int(message.integer("attempt") ?? 1) }
    var maxAttempts: Int { Int(message.integer("max_attempts") ?? 1) }
    var idempotencyKey: String { message.string("idempotency_key") ?? "" }
    var deadline: Timestamp? { message.integer("deadline").map { Timestamp(milliseconds: $0) } }
    var configuration: JSONText { message["config"] ?? .emptyObject }
    var dependencies: [String] { message["dependency_names"]?.json.array?.compactMap(\.string) ?? [] }

    func traceparent() async throws -> String? { message.string("traceparent") }
    func input() async throws -> JSONText { message["input"] ?? .emptyObject }
    func checkpoint() async throws -> JSONText? { state.withLock { $0.saved } ?? message["checkpoint"] }

    func dependencyResult(_ step: String) async throws -> JSONText? {
        if let near = message["dependencies"], let result = try Message(near.bytes)[step] {
            return result.json.isNull && result == .null ? nil : result
        }
        let answer: Result<JSONText, Failure> = await withCheckedContinuation { continuation in
            let id = state.withLock { state -> Int64? in
                if state.isCancelled { return nil }
                state.lastFetch += 1
                state.fetches[state.lastFetch] = continuation
                return state.lastFetch
            }
            guard let id else { return continuation.resume(returning: .failure(Self.ended)) }
            send(
                Message.encode("fetch", lease) { json in
                    json.member("id", id)
                    json.member("step", step)
                })
        }
        return try answer.get()
    }

    func saveCheckpoint(_ data: JSONText) async throws {
        guard data.bytes.count <= checkpointBytesMax else {
            throw Failure(
                message: "the checkpoint has \(data.bytes.count) bytes and is larger than the limit of "
                    + "\(checkpointBytesMax) bytes",
                errorType: "checkpoint_too_large", retryable: false)
        }
        guard !Message.isTooDeep(data) else {
            throw Failure(
                message: "the checkpoint is nested deeper than \(Message.levelsMax) levels",
                errorType: "checkpoint_not_json", retryable: false)
        }
        let refused: String? = await withCheckedContinuation { continuation in
            let isLost = state.withLock { state in
                if !state.isCancelled { state.checkpoints.append(continuation) }
                return state.isCancelled
            }
            if isLost { return continuation.resume(returning: Self.ended.message) }
            send(Message.encode("checkpoint", lease) { $0.member("data", data) })
        }
        if let refused { throw Failure(message: refused, errorType: "checkpoint_refused") }
        state.withLock { $0.saved = data }
    }

    func heartbeat(_ progress: JSONText?) {
        let shown = Message.isTooDeep(progress) ? nil : progress
        send(Message.encode("heartbeat", lease) { if let shown { $0.member("progress", shown) } })
    }

    func log(_ level: LogLine.Level, _ text: String) {
        send(
            Message.encode("log", lease) { json in
                json.member("level", level.name)
                json.member("text", text)
            })
    }

    /// How many messages of the worker wait.
    var backlog: Int { outbox.count }

    private func send(_ bytes: [UInt8]) {
        outbox.put(Outbox.Letter(bytes: bytes, lease: lease, session: session))
    }

    private static let ended = Failure(
        message: "this attempt is to end, or its session is over", errorType: "attempt_lost")

    // MARK: What the server says

    func start(_ body: @escaping @Sendable (RemoteAttempt) async -> Void) {
        state.withLock { state in
            state.task = Task { await body(self) }
            if state.isCancelled { state.task?.cancel() }
        }
    }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// It is to end: the engine says so, or its session is over. No question of it is waited for any longer.
    func cancel() {
        let (task, checkpoints, fetches) = state.withLock { state in
            defer { (state.checkpoints, state.fetches, state.isCancelled) = ([], [:], true) }
            return (state.task, state.checkpoints, state.fetches)
        }
        task?.cancel()
        for waiting in checkpoints { waiting.resume(returning: Self.ended.message) }
        for waiting in fetches.values { waiting.resume(returning: .failure(Self.ended)) }
    }

    /// A message about this attempt; what is none of its concern is ignored.
    func take(_ type: String, _ message: Message) {
        switch type {
        case "cancel": cancel()
        case "checkpointed": checkpointed(error: message.string("error"))
        case "fetched": fetched(message)
        default: break
        }
    }

    func checkpointed(error: String?) {
        state.withLock { $0.checkpoints.isEmpty ? nil : $0.checkpoints.removeFirst() }?.resume(returning: error)
    }

    private func fetched(_ answer: Message) {
        guard let id = answer.integer("id") else { return }
        let result: Result<JSONText, Failure> =
            if let error = answer.string("error") {
                .failure(Failure(message: error, errorType: "missing_dependency"))
            } else { .success(answer["result"] ?? .null) }
        state.withLock { $0.fetches.removeValue(forKey: id) }?.resume(returning: result)
    }
}
