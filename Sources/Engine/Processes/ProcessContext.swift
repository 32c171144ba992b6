import Synchronization

/// What everything that runs child processes for one engine shares.
package final class ProcessContext: Sendable {
    package let reactor: Reactor
    package let host: any AttemptHost
    /// This process's environment with the engine's mark, and without what an outer step was told about itself, and without secrets.
    package let environment: ProcessEnvironment
    private let workerCounts = Mutex<[String: Int]>([:])

    /// Variables that tell a child about its attempt. An engine that runs within a step must not hand on its own.
    static let attemptVariables = [
        "STEPWELL_WORKER", "STEPWELL_TASK_ID", "STEPWELL_STEP", "STEPWELL_ATTEMPT", "STEPWELL_MAX_ATTEMPTS",
        "STEPWELL_IDEMPOTENCY_KEY", "STEPWELL_DEADLINE", traceVariable, "TRACESTATE",
    ]
    /// As OpenTelemetry has it for programs that are started within a span.
    static let traceVariable = "TRACEPARENT"

    package init(
        host: any AttemptHost, mark: EngineMark, reactor: Reactor = Reactor(),
        environment: ProcessEnvironment = .inherited()
    ) {
        self.host = host
        self.reactor = reactor
        var environment = environment
        for name in Self.attemptVariables + environment.names(withPrefix: SecretStore.variablePrefix) {
            environment[name] = nil
        }
        environment[EngineMark.variable] = mark.value(after: environment[EngineMark.variable])
        self.environment = environment
    }

    /// `python#1`, then `python#2`: no two starts of this engine's workers have the same name.
    func nextWorkerName(_ base: String) -> String {
        let number = workerCounts.withLock { counts in
            counts[base, default: 0] += 1
            return counts[base, default: 0]
        }
        return "\(base)#\(number)"
    }
}
