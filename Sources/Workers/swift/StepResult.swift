private import FoundationEssentials
public import StepwellModel

/// How a handler ended.
public enum StepResult: Sendable {
    case success(JSONText, metadata: JSONText?)
    case failure(Failure)

    /// Any JSON.
    public static func success(_ result: JSON = .null, metadata: JSON? = nil) -> StepResult {
        .success(JSONText(result), metadata: metadata.map { JSONText($0) })
    }

    /// Any value that encodes to JSON; its members are sorted by name, so that the same value gives the same bytes.
    /// - Throws: what the value's encoding throws.
    public static func success(encoding result: some Encodable, metadata: JSON? = nil) throws -> StepResult {
        .success(try JSONText(encoding: result), metadata: metadata.map { JSONText($0) })
    }

    /// The result of a success; nil for a failure.
    public var value: JSON? {
        if case .success(let result, _) = self { result.json } else { nil }
    }

    /// The failure, if it is one.
    public var failure: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }

    /// - Parameters:
    ///   - errorType: for programs, such as `validation_error`.
    ///   - retryable: false when another attempt cannot help.
    ///   - retryAfter: the wait before the next attempt; capped at the template's maximum.
    public static func failure(
        message: String, errorType: String = "handler_error", retryable: Bool = true, retryAfter: Duration? = nil,
        errorCode: String? = nil
    ) -> StepResult {
        .failure(
            Failure(
                message: message, errorType: errorType, errorCode: errorCode, retryable: retryable,
                retryAfter: retryAfter.map { Milliseconds($0) }))
    }
}

extension JSONText {
    /// The JSON of a value.
    /// - Throws: `EncodingError`, for instance for a number that is not finite.
    public init(encoding value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        self.init(trusted: Array(try encoder.encode(value)))
    }

    /// The value that this JSON describes.
    /// - Throws: `DecodingError` with the path of what does not fit.
    public func decoded<Value: Decodable>(as type: Value.Type) throws -> Value {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return try decoder.decode(type, from: Data(bytes))
    }
}

extension Milliseconds {
    /// A duration in whole milliseconds, rounded up.
    public init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
