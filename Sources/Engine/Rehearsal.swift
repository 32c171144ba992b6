import StepwellKernel
import StepwellLog
package import StepwellModel
import Synchronization

/// Runs one attempt outside of any engine: to its runner it looks like an engine, but nothing of it reaches a log.
package final class Rehearsal: AttemptHost {
    /// What is told while the attempt runs. Called on any thread.
    package struct Listener: Sendable {
        package var logLine: @Sendable (LogLine.Level, String) -> Void
        package var checkpoint: @Sendable (JSONText) -> Void
        package var notice: @Sendable (String) -> Void

        package init(
            logLine: @escaping @Sendable (LogLine.Level, String) -> Void,
            checkpoint: @escaping @Sendable (JSONText) -> Void, notice: @escaping @Sendable (String) -> Void
        ) {
            self.logLine = logLine
            self.checkpoint = checkpoint
            self.notice = notice
        }
    }

    private struct State {
        var runner: (any AttemptRunner)?
        var outcome: AttemptOutcome?
        var isTimedOut = false
        var whenEnded: (@Sendable (AttemptOutcome) -> Void)?
    }

    package let limits = Limits()
    private let assignment: Assignment
    /// For each step the event with its result; zero where there is none.
    private let results: [SequenceNumber]
    private let listener: Listener
    private let state = Mutex(State())

    package init(_ assignment: Assignment, results: [SequenceNumber], listener: Listener) {
        self.assignment = assignment
        self.results = results
        self.listener = listener
    }

    /// Runs the attempt on the worker that has joined, for as long as its step allows.
    package func run() async -> AttemptOutcome {
        guard let runner = state.withLock({ $0.runner }) else {
            return .failed(Failure(message: "no worker has joined", errorType: "lost"))
        }
        let timer = assignment.step.timeout.map { timeout in
            Task {
                try await Task.sleep(for: .milliseconds(timeout.rawValue))
                self.state.withLock { $0.isTimedOut = true }
                runner.stop(self.assignment.attempt.lease, because: .timeout)
            }
        }
        defer { timer?.cancel() }
        let outcome = await withCheckedContinuation { (continuation: CheckedContinuation<AttemptOutcome, Never>) in
            let ended = state.withLock { state in
                if state.outcome == nil { state.whenEnded = { continuation.resume(returning: $0) } }
                return state.outcome
            }
            if let ended { return continuation.resume(returning: ended) }
            runner.run(assignment)
        }
        guard state.withLock({ $0.isTimedOut }), !outcome.hasSucceeded else { return outcome }
        return .failed(Failure(message: "the attempt took longer than its timeout", errorType: "timeout"))
    }

    private func end(_ outcome: AttemptOutcome) {
        let tell: (@Sendable (AttemptOutcome) -> Void)? = state.withLock { state in
            guard state.outcome == nil else { return nil }
            state.outcome = outcome
            defer { state.whenEnded = nil }
            return state.whenEnded
        }
        tell?(outcome)
    }

    // MARK: As an engine

    /// There is but one worker; one that died and was started again comes too late.
    package func nextWorkerID() -> WorkerID { assignment.attempt.worker }

    package func join(_ join: WorkerJoin, runner: any AttemptRunner) {
        state.withLock { $0.runner = $0.runner ?? runner }
    }

    package func leave(_ worker: WorkerID, reason: String) {
        end(.failed(Failure(message: "the worker is gone: \(reason)", errorType: "lost")))
    }

    package func finish(_ assignment: Assignment, _ outcome: AttemptOutcome) {
        end(assignment.step.check(limits.check(assignment.redaction.outcome(outcome))))
    }

    package func checkpoint(
        _ assignment: Assignment, _ data: JSONText, done: @escaping @Sendable (Rejection?) -> Void
    ) {
        listener.checkpoint(assignment.redaction.json(data))
        done(nil)
    }

    package func log(_ assignment: Assignment, _ level: LogLine.Level, _ text: String) {
        listener.logLine(level, assignment.redaction.text(text))
    }
    package func heartbeat(_ assignment: Assignment, progress: JSONText?) {}

    package func result(
        of step: String, for assignment: Assignment, done: @escaping @Sendable (Result<JSONText, FetchError>) -> Void
    ) {
        guard let index = assignment.plan.index(of: step),
            assignment.plan.isAncestor(index, of: assignment.attempt.step)
        else { return done(.failure(.notAnAncestor(step))) }
        do throws(LogError) {
            guard let result = try assignment.log.result(at: results[index]) else {
                return done(.failure(.noResult(step)))
            }
            done(.success(result))
        } catch { done(.failure(.log(error))) }
    }

    package func notice(_ text: String) { listener.notice(assignment.redaction.text(text)) }
}

extension AttemptOutcome {
    fileprivate var hasSucceeded: Bool {
        if case .succeeded = self { true } else { false }
    }
}
