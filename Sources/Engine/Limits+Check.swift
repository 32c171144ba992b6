import StepwellModel

extension Limits {
    /// Refuses what a handler must not return: a result that is too large.
    func check(_ outcome: AttemptOutcome, of assignment: Assignment) -> AttemptOutcome {
        guard case .succeeded(let result, _) = outcome else { return outcome }
        guard result.bytes.count <= resultBytesMax else {
            return .failed(
                Failure(
                    message:
                        "the result has \(result.bytes.count) bytes; the limit is \(resultBytesMax). "
                        + "Store it elsewhere and return where it is",
                    errorType: "result_too_large", retryable: false))
        }
        return outcome
    }
}
