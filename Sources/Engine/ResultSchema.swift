package import StepwellModel

extension StepTemplate {
    /// Refuses a result that does not fit the step's `result_schema`.
    package func check(_ outcome: AttemptOutcome) -> AttemptOutcome {
        guard case .succeeded(let result, _) = outcome, let text = resultSchema,
            let schema = try? JSONSchema(text.json)
        else { return outcome }
        let violations = schema.violations(of: result.json, limit: 20)
        return violations.isEmpty ? outcome : .failed(.invalidResult(violations))
    }
}

extension Failure {
    /// The handler and its template disagree: another attempt would bring the same again.
    fileprivate static func invalidResult(_ violations: [JSONSchema.Finding]) -> Failure {
        Failure(
            message: "the result does not fit the step's result_schema: "
                + violations.map(\.description).joined(separator: "; "),
            errorType: "invalid_result", retryable: false)
    }
}
