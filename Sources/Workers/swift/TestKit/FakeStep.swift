public import StepwellModel
public import StepwellWorker
import Synchronization

/// One attempt as the engine would give it to a handler, for tests of handlers without an engine.
///
/// ```swift
/// let step = FakeStep(dependencies: ["fetch": ["prices": [1, 2]]])
/// let result = await step.run(AddUp())
/// #expect(result.value == ["sum": 3])
/// ```
///
/// Checkpoints are kept: run again, a handler finds what it saved last.
public final class FakeStep: Sendable {
    /// What a handler has told the engine, in order.
    public struct Told: Sendable {
        public var checkpoints: [JSON] = []
        /// With the progress that each tells; nil without one.
        public var heartbeats: [JSON?] = []
        public var log: [LoggedLine] = []
        /// The farther steps whose results it asked for.
        public var fetched: [String] = []
    }

    private let backend: FakeBackend
    private let isCancelled: Bool

    /// - Parameters:
    ///   - dependencies: the results of the steps that this one depends on directly; null for one that was resolved by hand
    ///     without a result.
    ///   - fetchable: the results of farther ancestors.
    ///   - isCancelled: the attempt is to end before it has begun.
    public init(
        _ name: String = "step", input: JSON = [:], configuration: JSON = [:],
        dependencies: KeyValuePairs<String, JSON> = [:], fetchable: KeyValuePairs<String, JSON> = [:],
        attempt: Int = 1, maxAttempts: Int = 3, checkpoint: JSON? = nil, deadline: Timestamp? = nil,
        method: String = "call", isCancelled: Bool = false
    ) {
        self.isCancelled = isCancelled
        backend = FakeBackend(
            stepName: name, method: method, attempt: attempt, maxAttempts: maxAttempts, deadline: deadline,
            configuration: JSONText(configuration), givenInput: JSONText(input),
            near: dependencies.map { ($0.key, JSONText($0.value)) },
            far: fetchable.map { ($0.key, JSONText($0.value)) },
            checkpoint: checkpoint.map { JSONText($0) })
    }

    /// What the handler gets.
    public var context: StepContext { StepContext(backend) }

    /// What was told so far.
    public var told: Told { backend.told.withLock { $0 } }

    /// Runs a handler once, the method that the step asks for; a thrown error is the failure that the engine would see.
    public func run(_ handler: some StepHandler) async -> StepResult { await run(HandlerFunction(handler)) }

    public func run(_ handler: HandlerFunction) async -> StepResult {
        guard isCancelled else { return await handler.outcome(context) }
        let attempt = Task { [context] in
            // Not before the cancellation has arrived.
            while !Task.isCancelled { await Task.yield() }
            return await handler.outcome(context)
        }
        attempt.cancel()
        return await attempt.value
    }
}

/// A line of a step's log.
public struct LoggedLine: Hashable, Sendable {
    public var step: String
    public var level: LogLine.Level
    public var text: String
}

/// Plays the engine for one handler.
private final class FakeBackend: StepContextBackend {
    let taskID = TaskID(high: 0x0000_0000_0000_7000, low: 0x8000_0000_0000_0001)
    let stepID = TaskID(high: 0x0000_0000_0000_7000, low: 0x8000_0000_0000_0002)
    let (namespace, taskName, taskVersion) = ("test", "test", "1.0.0")
    let stepName: String
    let method: String
    let attempt: Int
    let maxAttempts: Int
    let deadline: Timestamp?
    let configuration: JSONText
    let givenInput: JSONText
    let near: [(step: String, result: JSONText)]
    let far: [(step: String, result: JSONText)]
    let told = Mutex(FakeStep.Told())
    private let saved: Mutex<JSONText?>

    init(
        stepName: String, method: String, attempt: Int, maxAttempts: Int, deadline: Timestamp?,
        configuration: JSONText, givenInput: JSONText, near: [(String, JSONText)], far: [(String, JSONText)],
        checkpoint: JSONText?
    ) {
        (self.stepName, self.method, self.attempt, self.maxAttempts) = (stepName, method, attempt, maxAttempts)
        (self.deadline, self.configuration, self.givenInput) = (deadline, configuration, givenInput)
        (self.near, self.far) = (near.map { ($0.0, $0.1) }, far.map { ($0.0, $0.1) })
        saved = Mutex(checkpoint)
    }

    var idempotencyKey: String { "\(taskID):\(stepName)" }
    var dependencies: [String] { near.map(\.step) }

    /// Nobody traces a test.
    func traceparent() async throws -> String? { nil }
    func input() async throws -> JSONText { givenInput }
    func checkpoint() async throws -> JSONText? { saved.withLock { $0 } }

    func dependencyResult(_ step: String) async throws -> JSONText? {
        if let found = near.first(where: { $0.step == step }) { return found.result == .null ? nil : found.result }
        told.withLock { $0.fetched.append(step) }
        guard let found = far.first(where: { $0.step == step }) else {
            throw Failure(
                message: "'\(step)' is no ancestor of this step", errorType: "missing_dependency", retryable: false)
        }
        return found.result == .null ? nil : found.result
    }

    func saveCheckpoint(_ data: JSONText) async throws {
        if Task.isCancelled {
            throw Failure(message: "this attempt is to end, or its session is over", errorType: "attempt_lost")
        }
        saved.withLock { $0 = data }
        told.withLock { $0.checkpoints.append(data.json) }
    }

    func heartbeat(_ progress: JSONText?) { told.withLock { $0.heartbeats.append(progress?.json) } }

    func log(_ level: LogLine.Level, _ text: String) {
        told.withLock { $0.log.append(LoggedLine(step: stepName, level: level, text: text)) }
    }
}
