import Glibc
import StepwellModel
import StepwellWorker

/// The conformance worker: handlers that Tests/WorkerConformance puts every SDK to the test with.
@main
struct ConformanceWorker {
    static func main() async {
        let worker = Worker(concurrency: 4)
        worker.register(Method(), Metadata())
        for handler in functions { worker.register(handler) }
        await worker.main()
    }

    private static let functions = [
        HandlerFunction("echo", call: echo),
        HandlerFunction("fail", call: fail),
        HandlerFunction("checkpoint") { context in
            try await context.saveCheckpoint(context.configuration["data"] ?? .null)
            return .success(["saved": true])
        },
        HandlerFunction("progress") { context in
            context.heartbeat(progress: ["done": 1, "of": 2])
            return .success([:])
        },
        HandlerFunction("log") { context in
            context.log.info("one")
            context.log.warning("two")
            print("three")
            // As C code and child processes do: no part of the conversation.
            let raw = Array("four\n".utf8)
            raw.withUnsafeBytes { _ = write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            return .success([:])
        },
        HandlerFunction("fetch") { context in
            let step = context.configuration["step"]?.string ?? ""
            return .success(["fetched": try await context.dependencyResult(step) ?? .null])
        },
        HandlerFunction("wait") { _ in
            while true { try await Task.sleep(for: .seconds(3600)) }
        },
        HandlerFunction("large") { context in
            .success(["text": .string(String(repeating: "x", count: Int(context.configuration["bytes"]?.int ?? 0)))])
        },
        HandlerFunction("deep") { context in
            .success((0..<(context.configuration["levels"]?.int ?? 0)).reduce(JSON.null) { inner, _ in [inner] })
        },
        HandlerFunction("unicode") { context in .success(try await context.input()) },
        HandlerFunction("trace") { context in
            .success(["traceparent": try await context.traceparent().map { .string($0) } ?? .null])
        },
        HandlerFunction("slow") { context in
            let file = context.configuration["file"]?.string ?? ""
            while access(file, F_OK) != 0 { try await Task.sleep(for: .milliseconds(10)) }
            return .success([:])
        },
    ]

    /// Everything that the handler can see.
    @Sendable private static func echo(_ context: StepContext) async throws -> StepResult {
        var results: [JSON.Member] = []
        for name in context.dependencies {
            results.append(.init(name, try await context.dependencyResult(name) ?? .null))
        }
        return .success([
            "input": try await context.input(), "config": context.configuration, "dependencies": .object(results),
            "attempt": .number("\(context.attempt)"), "idempotency_key": .string(context.idempotencyKey),
            "checkpoint": try await context.checkpoint() ?? .null,
            "deadline": context.deadline.map { .number("\($0.milliseconds)") } ?? .null,
        ])
    }

    private struct Crash: Error, CustomStringConvertible { var description: String }

    /// Fails as its configuration says.
    @Sendable private static func fail(_ context: StepContext) async throws -> StepResult {
        let config = context.configuration
        let kind = config["kind"]?.string ?? ""
        let message = config["message"]?.string ?? ""
        if kind == "crash" { throw Crash(description: message) }
        let types = [
            "retryable": "retryable_error", "permanent": "permanent_error", "validation": "validation_error",
            "returned": "handler_error",
        ]
        let failure = Failure(
            message: message, errorType: config["error_type"]?.string ?? types[kind] ?? "handler_error",
            errorCode: config["error_code"]?.string,
            retryable: config["retryable"]?.bool ?? ["retryable", "returned"].contains(kind),
            retryAfter: config["retry_after_ms"]?.int.map { Milliseconds($0) })
        if kind == "returned" { return .failure(failure) }
        throw failure
    }
}

/// Tells which of its methods was called.
private struct Method: StepHandler {
    static let name = "method"

    func call(_ context: StepContext) async throws -> StepResult { .success(["method": "call"]) }

    func call(method: String, _ context: StepContext) async throws -> StepResult {
        guard method == "other" else {
            return .failure(message: "there is no method '\(method)'", errorType: "unknown_method", retryable: false)
        }
        return .success(["method": "other"])
    }
}

/// A result with metadata.
private struct Metadata: StepHandler {
    static let name = "metadata"
    static let version = "2.1.0"

    func call(_ context: StepContext) async throws -> StepResult {
        .success(["ok": true], metadata: ["rows": 3])
    }
}
