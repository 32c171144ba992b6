import Stepwell

extension StepContext {
    /// The rows of an extract.
    func records<Row: Codable>(of step: String) async throws -> [Row] {
        try await result(of: step, as: Extract<Row>.self, orFail: "MISSING_EXTRACTION").records
    }

    /// An earlier step's result; without it, the step fails for good with that code.
    func result<Value: Decodable>(of step: String, as type: Value.Type, orFail code: String) async throws -> Value {
        do {
            return try await dependencyResult(step, as: type)
        } catch var failure as Failure {
            failure.errorCode = code
            throw failure
        }
    }
}
