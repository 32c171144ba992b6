import StepwellModel

/// The handlers of a worker by name, and how an attempt with one of them ends.
struct HandlerTable: Sendable {
    private let handlers: [String: HandlerFunction]

    init(_ handlers: [HandlerFunction]) {
        self.handlers = Dictionary(handlers.map { ($0.name, $0) }) { $1 }
    }

    /// The message that ends the attempt.
    /// - Parameters:
    ///   - resultBytesMax: a larger result is a failure.
    ///   - lineBytesMax: so is one whose message is longer.
    func end(
        of attempt: RemoteAttempt, resultBytesMax: Int, lineBytesMax: Int = .max
    ) async -> [UInt8] {
        let prints = StepPrints(attempt)
        let outcome = await StepPrints.$current.withValue(prints) { await perform(attempt) }
        prints.finish()
        let lease = attempt.lease
        switch outcome {
        case .success(let result, let metadata):
            if Message.isTooDeep(result) || Message.isTooDeep(metadata) { return Message.failure(.tooDeep, lease) }
            guard result.bytes.count <= resultBytesMax else {
                return Message.failure(.tooLarge(result.bytes.count, limit: resultBytesMax), lease)
            }
            let bytes = Message.encode("result", lease) { json in
                json.member("result", result)
                if let metadata { json.member("metadata", metadata) }
            }
            guard bytes.count < lineBytesMax else {
                return Message.failure(.tooLarge(bytes.count, limit: lineBytesMax), lease)
            }
            return bytes
        case .failure where attempt.isCancelled: return Message.encode("stopped", lease)
        case .failure(let failure): return Message.failure(failure, lease)
        }
    }

    private func perform(_ attempt: RemoteAttempt) async -> StepResult {
        guard let handler = handlers[attempt.handler] else {
            return .failure(
                message: "this worker has no handler '\(attempt.handler)'", errorType: "no_handler", retryable: false)
        }
        return await handler.outcome(StepContext(attempt))
    }
}

extension Failure {
    fileprivate static let tooDeep = Failure(
        message: "the result is nested deeper than \(Message.levelsMax) levels", errorType: "result_not_json",
        retryable: false)

    /// Another attempt would bring the same again.
    fileprivate static func tooLarge(_ bytes: Int, limit: Int) -> Failure {
        Failure(
            message: "the result has \(bytes) bytes and is larger than the limit of \(limit) bytes",
            errorType: "result_too_large", retryable: false)
    }
}
