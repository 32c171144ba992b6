/// What a handler, or the engine in its place, reports when an attempt did not succeed.
public struct Failure: Error, Hashable, Sendable {
    public var message: String
    /// For programs: `handler_error`, `timeout`, `result_too_large` ..., or the handler's own word.
    public var errorType: String
    /// The handler's own code, if it has one.
    public var errorCode: String?
    /// False: no further attempt, whatever the policy allows.
    public var retryable: Bool
    /// The wait that the handler asks for; wins over the policy's, capped at the policy's maximum.
    public var retryAfter: Milliseconds?
    public var backtrace: String?
    /// A JSON object kept beside the failure.
    public var metadata: JSONText?

    public init(
        message: String, errorType: String = "handler_error", errorCode: String? = nil, retryable: Bool = true,
        retryAfter: Milliseconds? = nil, backtrace: String? = nil, metadata: JSONText? = nil
    ) {
        self.message = message
        self.errorType = errorType
        self.errorCode = errorCode
        self.retryable = retryable
        self.retryAfter = retryAfter
        self.backtrace = backtrace
        self.metadata = metadata
    }
}
