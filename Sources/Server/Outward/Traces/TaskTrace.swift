import StepwellLog
import StepwellModel

/// The spans of one run of a task, from the task's events: one for the run, and one below it for each attempt.
///
/// A run begins with the submission, or behind an event that left the task blocked, and ends when the task is closed or blocked. So a task
/// that an operator takes on again has several runs in one trace, each with a link to the one before. Pure: the same events give
/// the same spans.
struct TaskTrace {
    /// What the log says of other tasks: the first run's span of the one that was forked.
    typealias Origin = (TaskID) throws -> TraceContext?

    private struct Attempt {
        var span: Span
        var step: StepIndex
    }

    private let task: TaskID
    private let template: Template
    private let submission: Submission
    private let parent: TraceContext?
    private var run: TraceContext?
    private var runStart = Timestamp.zero
    /// The run before, or the task that was forked.
    private var runLinks: [Span.Link] = []
    private var open: [Lease: Attempt] = [:]
    private var closed: [Span] = []
    private var lastAttempts: [StepIndex: TraceContext] = [:]
    private var lastError: (type: String, message: String)?
    private var ended: Span?

    init(task: TaskID, template: Template, submission: Submission) {
        self.task = task
        self.template = template
        self.submission = submission
        parent = submission.parentSpan
    }

    /// Whether somebody keeps the trace.
    var isSampled: Bool { parent?.isSampled ?? true }

    private var pipeline: String { "\(template.namespace)/\(template.name)" }

    private func context(_ number: SequenceNumber) -> TraceContext {
        TraceContext(task: task, event: number, parent: parent)
    }

    /// Takes the task's next event.
    mutating func take(_ record: EventRecord, origin: Origin) rethrows {
        if run == nil {
            // What comes late from a worker begins nothing.
            if ended != nil, record.event.type == .resultRejected || record.event.type == .attemptStopped { return }
            try begin(record, origin)
        }
        switch record.event {
        case .attemptStarted(let start): begin(start, record)
        case .attemptSucceeded(let attempt, _, _): end(attempt, record, "success", .ok)
        case .attemptFailed(let attempt, let failure):
            lastError = (failure.errorType, failure.message)
            end(attempt, record, "failure", .error(failure.message), errorType: failure.errorType)
        case .attemptTimedOut(let attempt):
            lastError = ("timeout", "the attempt took longer than its timeout")
            end(attempt, record, "timeout", .error("the attempt took longer than its timeout"), errorType: "timeout")
        case .attemptLost(let attempt, let reason):
            end(attempt, record, "error", .error("lost: \(reason.name)"), errorType: "lost")
        case .stepFailed(_, let reason):
            lastError = lastError ?? (reason.name, "a step has failed: \(reason.name)")
        case .taskCompleted: close(record, "success", .ok)
        case .taskCancelled: close(record, "cancellation", .unset)
        case .taskBlocked:
            close(
                record, "failure", .error(lastError?.message ?? "steps have failed"),
                errorType: lastError?.type ?? "blocked")
        default: break
        }
    }

    /// The spans of the run that has ended with the last event; the run itself first.
    var spans: [Span] { ended.map { [$0] + closed } ?? [] }

    // MARK: The run

    private mutating func begin(_ record: EventRecord, _ origin: Origin) rethrows {
        run = context(record.number)
        runStart = record.time
        closed = []
        lastError = nil
        if let previous = ended {
            runLinks = [Span.Link(to: previous.context, reason: "run_before")]
            ended = nil
        } else if let forked = submission.forkedFrom, let span = try origin(forked) {
            runLinks = [Span.Link(to: span, reason: "forked_from")]
        }
    }

    private mutating func close(
        _ record: EventRecord, _ result: String, _ status: Span.Status, errorType: String? = nil
    ) {
        guard let run else { return }
        for (lease, _) in open.sorted(by: { $0.key < $1.key }) {
            finish(lease, record, "cancellation", .unset, errorType: nil)
        }
        var span = Span(
            context: run, parent: parent?.span, name: "RUN \(pipeline)", kind: .server, start: runStart,
            end: record.time, status: status, links: runLinks)
        span.set("cicd.pipeline.name", pipeline)
        span.set("cicd.pipeline.action.name", "RUN")
        span.set("cicd.pipeline.run.id", task.description)
        span.set("cicd.pipeline.result", result)
        span.set("error.type", errorType)
        span.set("stepwell.template.version", template.version)
        span.set("stepwell.task.key", submission.key)
        span.set("stepwell.task.correlation_id", submission.correlationID)
        span.set("stepwell.task.initiator", submission.initiator)
        if !submission.tags.isEmpty { span.attributes.append(("stepwell.task.tags", .texts(submission.tags))) }
        ended = span
        self.run = nil
    }

    // MARK: Attempts

    private mutating func begin(_ start: AttemptStart, _ record: EventRecord) {
        let step = template.steps.indices.contains(start.step) ? template.steps[start.step] : nil
        let context = context(record.number)
        var span = Span(
            context: context, parent: run?.span, name: step?.name ?? "step \(start.step)", kind: .internal,
            start: record.time, end: record.time)
        span.set("cicd.pipeline.name", pipeline)
        span.set("cicd.pipeline.run.id", task.description)
        span.set("cicd.pipeline.task.name", span.name)
        span.set("cicd.pipeline.task.run.id", "\(task.step(start.step))/\(record.number.rawValue)")
        span.set("cicd.worker.id", String(start.worker.rawValue))
        span.set("stepwell.attempt", start.attempt)
        switch step?.handler.target {
        case .callable(let name, _): span.set("stepwell.handler", name)
        case .command(let words): span.set("stepwell.handler", words.first)
        case nil: break
        }
        span.set("stepwell.handler.version", start.handlerVersion)
        if let last = lastAttempts[start.step] { span.links = [Span.Link(to: last, reason: "retry")] }
        lastAttempts[start.step] = context
        open[record.number] = Attempt(span: span, step: start.step)
    }

    private mutating func end(
        _ attempt: AttemptID, _ record: EventRecord, _ result: String, _ status: Span.Status, errorType: String? = nil
    ) {
        finish(attempt.lease, record, result, status, errorType: errorType)
    }

    private mutating func finish(
        _ lease: Lease, _ record: EventRecord, _ result: String, _ status: Span.Status, errorType: String?
    ) {
        guard var span = open.removeValue(forKey: lease)?.span else { return }
        span.end = record.time
        span.status = status
        span.set("cicd.pipeline.task.run.result", result)
        span.set("error.type", errorType)
        if record.actor.kind == .worker, !record.actor.id.isEmpty { span.set("cicd.worker.name", record.actor.id) }
        closed.append(span)
    }
}
