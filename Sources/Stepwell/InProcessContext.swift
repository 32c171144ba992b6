package import StepwellEngine
import StepwellModel
package import StepwellWorker
import Synchronization

extension HandlerFunction {
    /// The handler as the engine runs it.
    package func runner(_ host: any AttemptHost) -> InProcessRunner.Handler {
        { assignment in
            switch await outcome(StepContext(InProcessContext(assignment: assignment, host: host))) {
            case .success(let result, let metadata): return .succeeded(result, metadata: metadata)
            case .failure(let failure): return .failed(failure)
            }
        }
    }
}

/// A handler's view of its attempt, when it runs in the engine's own process: read from the log when asked for.
private final class InProcessContext: StepContextBackend {
    let assignment: Assignment
    let host: any AttemptHost
    /// What this attempt has saved; before that, the log has the last checkpoint.
    private let saved = Mutex<JSONText?>(nil)

    init(assignment: Assignment, host: any AttemptHost) {
        self.assignment = assignment
        self.host = host
    }

    var taskID: TaskID { assignment.task }
    var stepID: TaskID { assignment.task.step(assignment.attempt.step) }
    var stepName: String { assignment.step.name }
    var method: String {
        if case .callable(_, let method) = assignment.step.handler.target { method } else { "call" }
    }
    var namespace: String { assignment.template.namespace }
    var taskName: String { assignment.template.name }
    var taskVersion: String { assignment.template.version }
    var attempt: Int { assignment.attempt.attempt }
    var maxAttempts: Int { assignment.step.retry.attemptsMax }
    var idempotencyKey: String { assignment.idempotencyKey }
    var deadline: Timestamp? { assignment.deadline }
    var configuration: JSONText { assignment.configuration }
    var dependencies: [String] { assignment.step.dependencies.map { assignment.template.steps[$0].name } }

    func traceparent() async throws -> String? { assignment.traceparent(try assignment.readSubmission()) }
    func input() async throws -> JSONText { try assignment.readSubmission().input }
    func checkpoint() async throws -> JSONText? { try saved.withLock { $0 } ?? assignment.readCheckpoint() }

    func dependencyResult(_ step: String) async throws -> JSONText? {
        if let place = assignment.step.dependencies.firstIndex(where: { assignment.template.steps[$0].name == step }) {
            return try assignment.readDependencyResult(place)
        }
        let answer: Result<JSONText, FetchError> = await withCheckedContinuation { continuation in
            host.result(of: step, for: assignment) { continuation.resume(returning: $0) }
        }
        switch answer {
        case .success(let result): return result
        case .failure(.noResult): return nil
        case .failure(.notAnAncestor(let step)):
            throw Failure(
                message: FetchError.notAnAncestor(step).description, errorType: "missing_dependency", retryable: false)
        case .failure(let error): throw Failure(message: error.description, errorType: "engine_error")
        }
    }

    func saveCheckpoint(_ data: JSONText) async throws {
        guard data.bytes.count <= host.limits.resultBytesMax else {
            throw Failure(
                message: "the checkpoint has \(data.bytes.count) bytes and is larger than the limit of "
                    + "\(host.limits.resultBytesMax) bytes",
                errorType: "checkpoint_too_large", retryable: false)
        }
        let refused: Rejection? = await withCheckedContinuation { continuation in
            host.checkpoint(assignment, data) { continuation.resume(returning: $0) }
        }
        if let refused { throw Failure(message: refused.message, errorType: refused.code) }
        saved.withLock { $0 = data }
    }

    func heartbeat(_ progress: JSONText?) { host.heartbeat(assignment, progress: progress) }
    func log(_ level: LogLine.Level, _ text: String) { host.log(assignment, level, text) }
}
