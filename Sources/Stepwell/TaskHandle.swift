package import StepwellEngine
public import StepwellHistory
import StepwellLog
public import StepwellModel

/// A task of an engine's store.
public struct TaskHandle: Sendable {
    public let id: TaskID
    private let engine: Engine

    init(id: TaskID, engine: Engine) {
        self.id = id
        self.engine = engine
    }

    /// Waits until the task is closed, or blocked by a step that has failed for good, and tells what came of it.
    /// - Throws: ``EngineError`` when there is no such task or the engine stops; `CancellationError` when the waiting Swift task
    ///   is cancelled, which changes nothing for the task waited for.
    public func wait() async throws -> TaskReport {
        _ = try await settled()
        return try await report()
    }

    /// Waits as ``wait()`` does, and tells the state alone: without a look at the log.
    public func settled() async throws -> TaskState {
        let (answers, answer) = AsyncThrowingStream.makeStream(of: TaskState.self)
        whenSettled { answer.yield(with: $0.mapError { $0 as any Error }) }
        for try await state in answers { return state }
        throw CancellationError()
    }

    package func whenSettled(_ call: @escaping @Sendable (Result<TaskState, EngineError>) -> Void) {
        engine.core.whenSettled(id, call)
    }

    /// The task as it is now.
    public func report() async throws -> TaskReport {
        guard let report = try TaskReport.read(id, from: engine.store) else {
            throw EngineError.rejected(.unknownTask(id))
        }
        return report
    }

    /// Lets failed steps begin again with a fresh set of attempts; what is complete does not run again.
    /// - Parameter steps: names of failed steps; none: all of them.
    public func retry(steps: [String] = [], reason: String? = nil) async throws {
        try await retry(steps: steps, reason: reason, by: Actor(.client))
    }

    package func retry(steps: [String], reason: String?, by actor: Actor) async throws {
        let indexes = try indexes(of: steps)
        try await engine.core.send(.retryTask(id, steps: indexes, reason: reason), by: actor)
    }

    /// Ends the task: nothing more of it starts, and what runs is told to end.
    public func cancel(reason: String? = nil) async throws {
        try await cancel(reason: reason, by: Actor(.client))
    }

    package func cancel(reason: String?, by actor: Actor) async throws {
        try await engine.core.send(.cancelTask(id, reason: reason), by: actor)
    }

    /// Stops the task until ``resume(reason:)``: nothing more of it starts, and what runs goes on to its end.
    public func pause(reason: String? = nil) async throws { try await pause(reason: reason, by: Actor(.client)) }

    package func pause(reason: String?, by actor: Actor) async throws {
        try await engine.core.send(.pauseTask(id, reason: reason), by: actor)
    }

    /// Ends a pause: the task goes on where it was.
    public func resume(reason: String? = nil) async throws { try await resume(reason: reason, by: Actor(.client)) }

    package func resume(reason: String?, by actor: Actor) async throws {
        try await engine.core.send(.resumeTask(id, reason: reason), by: actor)
    }

    /// Settles a step by hand, with or without a result, so that the steps after it can run.
    public func resolve(_ step: String, result: JSON? = nil, reason: String? = nil) async throws {
        try await resolve(step, result: result.map { JSONText($0) }, reason: reason, by: Actor(.client))
    }

    package func resolve(_ step: String, result: JSONText?, reason: String?, by actor: Actor) async throws {
        let index = try indexes(of: [step])[0]
        try await engine.core.send(.resolveStep(id, index, result: result, reason: reason), by: actor)
    }

    private func indexes(of steps: [String]) throws -> [StepIndex] {
        guard !steps.isEmpty else { return [] }
        guard let summary = try engine.store.task(id), let template = try engine.store.template(summary.template) else {
            throw EngineError.rejected(.unknownTask(id))
        }
        let names = template.steps.map(\.name)
        return try steps.map { step in
            guard let index = names.firstIndex(of: step) else {
                throw UnknownStepError(step: step, task: id, known: names)
            }
            return index
        }
    }
}

/// A step that the task does not have.
public struct UnknownStepError: StepwellError {
    public var step: String
    public var task: TaskID
    public var known: [String]

    package init(step: String, task: TaskID, known: [String]) {
        self.step = step
        self.task = task
        self.known = known
    }

    public var code: String { "unknown_step" }
    public var message: String { "task \(task) has no step '\(step)'" }
    public var cure: String? { "its steps are: " + known.prefix(20).joined(separator: ", ") }
}
