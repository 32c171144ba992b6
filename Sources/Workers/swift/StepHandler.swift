import StepwellModel

/// What runs a step. The same type runs in the engine's process, and in a worker elsewhere.
///
/// ```swift
/// struct ExtractSales: StepHandler {
///     static let name = "extract_sales"
///
///     func call(_ context: StepContext) async throws -> StepResult {
///         let source = try await context.input("source", as: String.self) ?? "default"
///         return .success(["source": .string(source), "records": 250])
///     }
/// }
/// ```
///
/// A handler may run more than once for the same step, after a failure or a crash; ``StepContext/idempotencyKey`` is the same
/// each time. A thrown error is a retryable failure, unless it is a ``Failure`` that says otherwise.
public protocol StepHandler: Sendable {
    /// The template's `handler.callable`.
    static var name: String { get }
    /// Recorded in the log beside every attempt's worker.
    static var version: String { get }

    func call(_ context: StepContext) async throws -> StepResult

    /// Runs another method than `call`, where the template's `handler.method` asks for one.
    /// - Throws: without an implementation, a permanent ``Failure``.
    func call(method: String, _ context: StepContext) async throws -> StepResult
}

extension StepHandler {
    public func call(method: String, _ context: StepContext) async throws -> StepResult {
        throw HandlerFunction.unknown(method, of: Self.name)
    }

    public static var version: String { "1.0.0" }
}

/// A handler made of a closure.
public struct HandlerFunction: Sendable {
    public let name: String
    public let version: String
    package let call: @Sendable (StepContext) async throws -> StepResult

    public init(
        _ name: String, version: String = "1.0.0", call: @escaping @Sendable (StepContext) async throws -> StepResult
    ) {
        self.name = name
        self.version = version
        self.call = call
    }

    public init<Handler: StepHandler>(_ handler: Handler) {
        self.init(Handler.name, version: Handler.version) { context in
            let method = context.method
            return try await method == "call" ? handler.call(context) : handler.call(method: method, context)
        }
    }

    static func unknown(_ method: String, of handler: String) -> Failure {
        Failure(
            message: "the handler '\(handler)' has no method '\(method)'", errorType: "unknown_method", retryable: false
        )
    }

    /// How the handler ends, whatever it throws.
    package func outcome(_ context: StepContext) async -> StepResult {
        do {
            return try await call(context)
        } catch let failure as Failure {
            return .failure(failure)
        } catch {
            return .failure(
                Failure(message: String(describing: error), errorType: String(describing: type(of: error))))
        }
    }
}
