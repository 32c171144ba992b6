package import StepwellKernel
package import StepwellLog
package import StepwellModel

/// A task as it was at some moment, and how it came to be so: its attempts, what people did, what was rejected.
package struct TaskStory: Sendable {
    package var report: TaskReport
    package var submitted: EventRecord
    /// The last event.
    package var last: EventRecord
    /// Every running of every attempt, in the order of their starts.
    package var attempts: [AttemptStory]
    /// What operators did, in order.
    package var actions: [EventRecord] = []
    /// `result.rejected` events, in order.
    package var rejections: [EventRecord] = []
    /// For each step the event that brought it where it is; nil while it is pending from the beginning.
    package var since: [EventRecord?]
    /// For each step the event that enqueued it for the first time.
    package var ready: [EventRecord?]
    /// The event that closed the task, blocked or paused it.
    package var verdict: EventRecord?

    package var id: TaskID { report.id }
    package var template: Template { report.template }

    /// For each step the places of its attempts.
    private var placesOfAttempts: [[Int]]

    package func attempts(of step: StepIndex) -> [AttemptStory] { placesOfAttempts[step].map { attempts[$0] } }
}

/// One running of an attempt.
package struct AttemptStory: Sendable {
    package enum End: Sendable {
        case succeeded(JSONText)
        case failed(Failure)
        case timedOut
        case lost(LossReason)
        case cancelled
    }

    package var start: AttemptStart
    package var lease: Lease
    package var started: Timestamp
    /// Nil while it runs.
    package var end: End?
    package var ended: Timestamp?
    /// The event that ended it.
    package var endNumber: SequenceNumber?
    /// Such as `python#1`; nil when the worker has never reported an end.
    package var workerName: String?
    /// Events with checkpoints that it has saved.
    package var checkpoints: [SequenceNumber] = []

    package var duration: Milliseconds? { ended.map { $0 - started } }
}

extension TaskStory {
    /// Reads a task's story up to a moment. `visit` sees every event of it, and the task after it.
    /// - Throws: ``LogError``, or ``FoldError`` when the events cannot follow each other; nil when there is no such task, or
    ///   was none at that moment.
    package static func read(
        _ id: TaskID, from log: any EventReader, at moment: Moment = .end,
        visit: (EventRecord, TaskRecord?) -> Void = { _, _ in }
    ) throws -> TaskStory? {
        var records = Notes()
        let report = try TaskReport.read(id, from: log, at: moment) { record, task in
            records.note(record)
            visit(record, task)
        }
        return TaskStory(report, records)
    }

    /// The story of an exported task, whole.
    /// - Throws: ``LogError``, or ``FoldError`` when the events cannot follow each other.
    static func read(_ bundle: RunBundle) throws -> TaskStory? {
        let template = try bundle.templateBytes.withUnsafeBytes {
            try TemplateCodec.decode($0, digest: bundle.templateDigest)
        }
        var records = Notes()
        var fold = ReportFold(bundle.task, template, digest: bundle.templateDigest)
        for event in bundle.events {
            _ = try fold.take(event.record)
            records.note(event.record)
        }
        return TaskStory(fold.whole, records)
    }

    private init?(_ report: TaskReport?, _ records: Notes) {
        guard let report, let submitted = records.submitted, let last = records.last else { return nil }
        let none = [EventRecord?](repeating: nil, count: report.steps.count)
        self.init(
            report: report, submitted: submitted, last: last, attempts: records.attempts, since: none, ready: none,
            placesOfAttempts: [[Int]](repeating: [], count: report.steps.count))
        for (place, attempt) in records.attempts.enumerated() { placesOfAttempts[attempt.start.step].append(place) }
        actions = records.actions
        rejections = records.rejections
        verdict = records.verdict
        for record in records.moves {
            guard let step = record.event.movedStep else { continue }
            since[step] = record
            if ready[step] == nil { ready[step] = record }
        }
    }
}

/// Sorts a task's events as they come.
private struct Notes {
    var submitted: EventRecord?
    var last: EventRecord?
    var verdict: EventRecord?
    var pause: EventRecord?
    var attempts: [AttemptStory] = []
    var actions: [EventRecord] = []
    var rejections: [EventRecord] = []
    var moves: [EventRecord] = []
    private var places: [Lease: Int] = [:]

    mutating func note(_ record: EventRecord) {
        last = record
        if record.event.movedStep != nil { moves.append(record) }
        switch record.event {
        case .taskSubmitted: submitted = record
        case .attemptStarted(let start):
            places[record.number] = attempts.count
            attempts.append(AttemptStory(start: start, lease: record.number, started: record.time))
        case .attemptSucceeded(let attempt, let result, _): end(attempt, .succeeded(result), record)
        case .attemptFailed(let attempt, let failure): end(attempt, .failed(failure), record)
        case .attemptTimedOut(let attempt): end(attempt, .timedOut, record)
        case .attemptLost(let attempt, let reason): end(attempt, .lost(reason), record)
        case .attemptCheckpointed(let attempt, _):
            if let place = places[attempt.lease] {
                attempts[place].checkpoints.append(record.number)
                name(place, record)
            }
        case .resultRejected: rejections.append(record)
        case .operatorRetried, .operatorResolved, .operatorCancelled: actions.append(record)
        case .operatorPaused:
            actions.append(record)
            (pause, verdict) = (record, record)
        case .operatorResumed:
            actions.append(record)
            (pause, verdict) = (nil, nil)
        case .taskCancelled:
            verdict = record
            for place in attempts.indices where attempts[place].end == nil { end(place, .cancelled, record) }
        case .taskCompleted, .taskBlocked: verdict = record
        case .stepEnqueued: verdict = pause
        default: break
        }
    }

    private mutating func end(_ attempt: AttemptID, _ end: AttemptStory.End, _ record: EventRecord) {
        guard let place = places[attempt.lease] else { return }
        self.end(place, end, record)
        name(place, record)
    }

    private mutating func end(_ place: Int, _ end: AttemptStory.End, _ record: EventRecord) {
        attempts[place].end = end
        attempts[place].ended = record.time
        attempts[place].endNumber = record.number
    }

    private mutating func name(_ place: Int, _ record: EventRecord) {
        if record.actor.kind == .worker, !record.actor.id.isEmpty { attempts[place].workerName = record.actor.id }
    }
}

extension Event {
    /// The step that a decision has moved.
    package var movedStep: StepIndex? {
        switch self {
        case .stepEnqueued(let step), .retryScheduled(let step, _), .stepCompleted(let step), .stepFailed(let step, _),
            .stepReset(let step), .stepResolved(let step), .stepAdopted(let step):
            step
        case .attemptStarted(let start): start.step
        default: nil
        }
    }

    /// The step that an event is about, if it is about one.
    package var step: StepIndex? {
        switch self {
        case .attemptSucceeded(let attempt, _, _), .attemptFailed(let attempt, _), .attemptTimedOut(let attempt),
            .attemptLost(let attempt, _), .attemptStopped(let attempt), .attemptCheckpointed(let attempt, _),
            .resultRejected(let attempt, _):
            attempt.step
        case .retryDue(let step), .operatorResolved(let step, _, _): step
        case .resultAdopted(let adopted): adopted.step
        default: movedStep
        }
    }
}
