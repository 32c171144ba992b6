package import StepwellEngine
public import StepwellHistory
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
    /// - Throws: ``EngineError`` when there is no such task or the engine stops.
    public func wait() async throws -> TaskReport {
        _ = try await settled()
        return try await report()
    }

    package func settled() async throws -> TaskState {
        try await withCheckedThrowingContinuation { continuation in
            engine.core.whenSettled(id) { continuation.resume(with: $0) }
        }
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
        let names = try await report().template.steps.map(\.name)
        let indexes = try steps.map { step in
            guard let index = names.firstIndex(of: step) else { throw UnknownStepError(step: step, task: id, known: names) }
            return index
        }
        try await engine.core.send(.retryTask(id, steps: indexes, reason: reason), by: actor)
    }

    /// Ends the task: nothing more of it starts, and what runs is told to end.
    public func cancel(reason: String? = nil) async throws {
        try await cancel(reason: reason, by: Actor(.client))
    }

    package func cancel(reason: String?, by actor: Actor) async throws {
        try await engine.core.send(.cancelTask(id, reason: reason), by: actor)
    }
}

/// A step that the task does not have.
public struct UnknownStepError: StepwellError {
    public var step: String
    public var task: TaskID
    public var known: [String]

    public var code: String { "unknown_step" }
    public var message: String { "task \(task) has no step '\(step)'" }
    public var cure: String? { "its steps are: " + known.prefix(20).joined(separator: ", ") }
}
