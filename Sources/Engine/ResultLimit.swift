import StepwellModel

extension Limits {
    /// Refuses what a handler must not return: a result that is too large.
    func check(_ outcome: AttemptOutcome) -> AttemptOutcome {
        guard case .succeeded(let result, _) = outcome, result.bytes.count > resultBytesMax else { return outcome }
        return .failed(.resultTooLarge(self, count: result.bytes.count))
    }
}

extension Failure {
    /// Another attempt would bring the same again. `count` is nil when reading stopped at the limit.
    static func resultTooLarge(_ limits: Limits, count: Int? = nil) -> Failure {
        Failure(
            message: "the result" + (count.map { " has \($0) bytes and" } ?? "")
                + " is larger than the limit of \(limits.resultBytesMax) bytes: "
                + "keep large data outside, and return where it is",
            errorType: "result_too_large", retryable: false)
    }
}
