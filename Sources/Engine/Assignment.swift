package import StepwellKernel
package import StepwellLog
package import StepwellModel
import Synchronization

/// An attempt on its way to whoever runs it. What it needs to know is read from the log when it is asked for.
package struct Assignment: Sendable {
    package let task: TaskID
    package let attempt: AttemptID
    /// Such as `python#1`.
    package let workerName: String
    package let plan: Plan
    package let deadline: Timestamp?
    /// The task's `task.submitted` event.
    package let submission: SequenceNumber
    /// The step's last checkpoint; zero without one.
    package let checkpoint: SequenceNumber
    /// The events that hold the results of the direct dependencies, in the order of the template's list; zero where a step
    /// was resolved by hand without a result.
    package let dependencyResults: [SequenceNumber]
    package let log: any EventSource
    private let secrets: AttemptSecrets?
    private let lines = LineCounter()

    package init(
        task: TaskID, attempt: AttemptID, workerName: String = "", plan: Plan, deadline: Timestamp?,
        submission: SequenceNumber,
        checkpoint: SequenceNumber, dependencyResults: [SequenceNumber], log: any EventSource,
        secrets: SecretStore? = nil
    ) {
        self.task = task
        self.attempt = attempt
        self.workerName = workerName
        self.plan = plan
        self.deadline = deadline
        self.submission = submission
        self.checkpoint = checkpoint
        self.dependencyResults = dependencyResults
        self.log = log
        self.secrets = secrets.flatMap { AttemptSecrets(plan.template.steps[attempt.step].handler, from: $0) }
    }

    package init(_ delivery: Delivery, log: any EventSource, secrets: SecretStore?) {
        self.init(
            task: delivery.task, attempt: delivery.attempt, workerName: delivery.workerName, plan: delivery.plan,
            deadline: delivery.deadline,
            submission: delivery.submission, checkpoint: delivery.checkpoint,
            dependencyResults: delivery.dependencyResults, log: log, secrets: secrets)
    }

    package var template: Template { plan.template }
    package var step: StepTemplate { plan.template.steps[attempt.step] }

    /// The same over all attempts of the step: what a handler gives to systems that know idempotency keys.
    package var idempotencyKey: String { "\(task):\(step.name)" }

    // MARK: Secrets

    /// Looks up the secrets that the step names. Whoever runs the attempt calls it first, and reports the failure, if there is
    /// one, in its place.
    package func resolveSecrets() -> Failure? {
        do throws(SecretError) {
            try secrets?.resolve()
            return nil
        } catch { return Failure(error, step: step.name, of: template) }
    }

    /// What the handler reads as its configuration; with `secret:NAME` in it until the secrets are resolved.
    package var configuration: JSONText { secrets?.configuration ?? step.handler.configuration }
    /// What is added to the environment of a command.
    package var environment: [EnvironmentVariable] { secrets?.environment ?? step.handler.environment }
    /// Hides what was resolved. All that the attempt reports goes through it before anything else sees it.
    package var redaction: Redaction { secrets?.redaction ?? .nothing }

    /// A line of the log, no longer than it may be. Secrets are hidden before it is cut: of half of one, nobody could tell what
    /// it is.
    func cut(_ line: String, _ limits: Limits) -> String {
        redaction.text(line).cut(toBytes: limits.logLineBytesMax)
    }

    // MARK: From the log

    /// What the task was submitted with.
    package func readSubmission() throws(LogError) -> Submission {
        guard case .taskSubmitted(let submitted) = try log.event(submission)?.event else {
            throw LogError.corrupt("task \(task) has no submission", at: submission)
        }
        return submitted
    }

    /// The attempt's place in its trace, `traceparent`, for what its handler calls.
    package func traceparent(_ submission: Submission) -> String {
        TraceContext(task: task, event: attempt.lease, parent: submission.parentSpan).traceparent
    }

    /// The result of the direct dependency at that place of the step's list; nil where it has none.
    package func readDependencyResult(_ place: Int) throws(LogError) -> JSONText? {
        try log.result(at: dependencyResults[place])
    }

    package func readCheckpoint() throws(LogError) -> JSONText? {
        guard checkpoint != .zero else { return nil }
        guard case .attemptCheckpointed(_, let data) = try log.event(checkpoint)?.event else {
            throw LogError.corrupt("task \(task) has no checkpoint", at: checkpoint)
        }
        return data
    }
}

extension Assignment {
    /// A line of the attempt's log, numbered; nil when the attempt has written enough.
    package func logLine(_ level: LogLine.Level, _ text: String, at time: Timestamp, _ limits: Limits) -> LogLine? {
        let number = lines.next()
        guard number <= limits.logLinesMax else { return nil }
        let isLast = number == limits.logLinesMax
        return LogLine(
            task: task, step: attempt.step, attempt: attempt.attempt, lease: attempt.lease, number: UInt32(number),
            time: time, level: isLast ? .warning : level,
            text: isLast
                ? "the limit of \(limits.logLinesMax) lines is reached; further lines are not kept"
                : text.cut(toBytes: limits.logLineBytesMax))
    }
}

/// Numbers the log lines of one attempt, whichever thread they come from.
private final class LineCounter: Sendable {
    private let count = Atomic<Int>(0)

    func next() -> Int { count.add(1, ordering: .relaxed).oldValue }
}

extension EventSource {
    /// The result that an event holds; nil for zero.
    package func result(at number: SequenceNumber) throws(LogError) -> JSONText? {
        guard number != .zero else { return nil }
        switch try event(number)?.event {
        case .attemptSucceeded(_, let result, _): return result
        case .operatorResolved(_, let result, _): return result
        case .resultAdopted(let adopted): return adopted.result
        default: throw LogError.corrupt("the event holds no result", at: number)
        }
    }
}
