package import StepwellModel
import Synchronization

/// Runs handlers of this process, each attempt as a Swift task. How many at a time is the worker's number of slots.
package final class InProcessRunner: AttemptRunner {
    package typealias Handler = @Sendable (Assignment) async -> AttemptOutcome

    private let host: any AttemptHost
    private let handlers: [String: Handler]
    private let running = Mutex<[Lease: Task<Void, Never>]>([:])

    package init(host: any AttemptHost, handlers: [String: Handler]) {
        self.host = host
        self.handlers = handlers
    }

    package func run(_ assignment: Assignment) {
        guard case .callable(let name, _) = assignment.step.handler.target, let handler = handlers[name] else {
            return host.finish(
                assignment,
                .failed(Failure(message: "this process has no such handler", errorType: "no_handler", retryable: false))
            )
        }
        let lease = assignment.attempt.lease
        // The lock is held while the task is made, so that its end cannot be noted before its beginning.
        running.withLock { running in
            running[lease] = Task {
                let refusal = assignment.resolveSecrets()
                let outcome = if let refusal { AttemptOutcome.failed(refusal) } else { await handler(assignment) }
                let isKnown = self.running.withLock { $0.removeValue(forKey: lease) != nil }
                self.host.finish(assignment, Task.isCancelled && isKnown ? outcome.orStopped : outcome)
            }
        }
    }

    package func stop(_ lease: Lease, because reason: StopReason) {
        running.withLock { $0[lease] }?.cancel()
    }

    package func rejected(_ lease: Lease, because reason: RejectedResult.Reason) {}
    package func drain() {}
}

extension AttemptOutcome {
    /// A handler that was cancelled and failed has stopped; one that succeeded all the same may say so.
    fileprivate var orStopped: AttemptOutcome {
        if case .failed = self { .stopped } else { self }
    }
}
