import StepwellEngine
import StepwellKernel
import StepwellLog
import StepwellModel

/// A recorded run once more, by the present scheduler and with a template that may be another: each attempt ends as it did then, and
/// takes as long. There are always enough workers.
struct Rerun {
    /// How a step fared.
    struct Step {
        var state = StepState.pending
        var starts = 0
        /// What its template has made of a recorded result that does not fit.
        var misfit: String?
        /// What had to be assumed of attempts that the recording does not have.
        var assumption: String?
    }

    /// What comes back from a worker, and when.
    private struct Answer {
        var due: Timestamp
        /// The recorded event that it repeats; decides between two at the same time.
        var number: SequenceNumber
        var lease: Lease
        var command: Command
    }

    private(set) var state: TaskState = .pending
    private(set) var steps: [Step]
    /// What operators did then, and what could not be done now.
    private(set) var actionsLeftOut: [EventRecord] = []
    /// The time of the last event.
    private(set) var now: Timestamp

    private let run: RecordedRun
    private let plan: Plan
    private let id: TaskID
    /// The place of each step in the recording.
    private let recorded: [StepIndex?]
    private var live = State()
    /// The earliest last.
    private var answers: [Answer] = []
    private var running: [Lease: AttemptID] = [:]
    private var actions: ArraySlice<EventRecord>
    private var lastWorker: UInt32 = 0

    /// - Throws: the reason for which the present scheduler refuses the submission.
    init(_ run: RecordedRun, with template: Template) throws(Rejection) {
        self.run = run
        plan = Plan(template, digest: template.digest)
        id = run.story.id
        now = run.story.submitted.time
        let before = Plan(run.story.template, digest: run.story.report.submission.template)
        recorded = template.steps.map { before.index(of: $0.name) }
        steps = [Step](repeating: Step(), count: template.steps.count)
        actions = run.story.actions[...]
        try turn([.startEngine(EngineStart(version: "", processID: 0, host: "")), submission])
        live(through: run.isSettled ? nil : run.story.last.time)
    }

    private var submission: Command {
        var submission = run.story.report.submission
        submission.template = plan.digest
        submission.key = nil
        let adopted = run.story.report.steps.compactMap { step in
            step.adopted.flatMap { origin in
                plan.index(of: step.name).map { AdoptedResult(step: $0, result: step.result ?? .null, origin: origin) }
            }
        }.sorted { $0.step < $1.step }
        submission.adopted = adopted.map(\.step)
        return adopted.isEmpty
            ? .submitTask(id, submission, plan.template, known: nil, replacing: true)
            : .forkTask(id, submission, plan.template, results: adopted)
    }

    // MARK: Time

    /// Goes from one thing that happens to the next, until nothing more does, or would only after the recording's end.
    private mutating func live(through end: Timestamp?) {
        var isActionHeld = false
        while !state.isClosed {
            let waiting = state == .paused ? [] : steps.indices.filter { steps[$0].state == .enqueued }
            if !waiting.isEmpty {
                try? turn(waiting.map { join(for: $0) })
                continue
            }
            let next = [answers.last?.due, live.nextDue()].compactMap(\.self).min()
            // What an operator did is done at its time, or as soon after it as it can be.
            if let action = actions.first, next == nil || !isActionHeld && isNext(action) {
                now = max(now, action.time)
                isActionHeld = !perform(action, atRest: next == nil)
                if isActionHeld, next == nil { actionsLeftOut.append(action) }
                if !isActionHeld || next == nil { actions.removeFirst() }
                if next == nil { isActionHeld = false }
                continue
            }
            guard let next, end.map({ next <= $0 }) ?? true else { break }
            now = max(now, next)
            var due: [Command] = []
            while let answer = answers.last, answer.due <= now {
                due.append(answer.command)
                answers.removeLast()
            }
            try? turn(due)
            isActionHeld = false
        }
        actionsLeftOut += actions
    }

    private mutating func isNext(_ action: EventRecord) -> Bool {
        if let answer = answers.last, (answer.due, answer.number) < (action.time, action.number) { return false }
        return live.nextDue().map { action.time <= $0 } ?? true
    }

    /// - Throws: why the last of the commands was refused; those before it stand.
    private mutating func turn(_ commands: [Command]) throws(Rejection) {
        var turn = Turn(time: now)
        var refusal: Rejection?
        for command in commands {
            refusal = nil
            do { try live.perform(command, by: Actor(.engine), in: &turn) } catch { refusal = error }
        }
        live.performDueTimers(in: &turn)
        if let task = live[id] {
            state = task.state
            for (step, record) in task.steps.enumerated() { steps[step].state = record.state }
        }
        live.end(&turn)
        for effect in turn.effects {
            switch effect {
            case .deliver(let delivery): deliver(delivery)
            case .stop(let lease, _, _): stop(lease)
            case .reject, .settled: break
            }
        }
        if let refusal { throw refusal }
    }

    // MARK: Workers

    /// A worker for one attempt, so that a loss concerns no other.
    private mutating func join(for step: StepIndex) -> Command {
        lastWorker += 1
        let worker = WorkerID(lastWorker)
        switch plan.template.steps[step].handler.target {
        case .command:
            return .joinWorker(WorkerJoin(worker: worker, name: "commands", kind: .command, handlers: [], slots: 1))
        case .callable(let name, _):
            let handlers = [HandlerVersion(name: name, version: "")]
            return .joinWorker(WorkerJoin(worker: worker, name: "", kind: .process, handlers: handlers, slots: 1))
        }
    }

    /// An attempt has started: it will end as the recorded one did.
    private mutating func deliver(_ delivery: Delivery) {
        let step = delivery.attempt.step
        running[delivery.attempt.lease] = delivery.attempt
        guard let (end, duration, number) = nextEnd(of: step) else { return }
        let command: Command
        switch end {
        case .succeeded(let result):
            command = .finishAttempt(id, delivery.attempt, check(result, step, number))
        case .failed(let failure): command = .finishAttempt(id, delivery.attempt, .failed(failure))
        case .lost(let reason): command = .loseWorker(delivery.attempt.worker, reason: reason.name)
        case .timedOut:
            if delivery.deadline == nil {
                steps[step].assumption = "ran out of time then, and has no timeout now: taken to run for ever"
            }
            return
        case .cancelled: return
        }
        answer(
            Answer(
                due: now.advanced(by: duration), number: number ?? delivery.attempt.lease,
                lease: delivery.attempt.lease, command: command))
    }

    /// How the next attempt of a step ends, after how long, and the event that says so; nil: it does not.
    private mutating func nextEnd(of step: StepIndex) -> (AttemptStory.End, Milliseconds, SequenceNumber?)? {
        let attempts = recorded[step].map { run.story.attempts(of: $0) } ?? []
        guard steps[step].starts < attempts.count || run.isWhole else { return nil }
        defer { steps[step].starts += 1 }
        if steps[step].starts >= attempts.count {
            steps[step].assumption =
                attempts.isEmpty
                ? "has never run in the recording: taken to succeed at once, without a result"
                : "runs more often than it did then: taken to end as it did the last time"
        }
        guard let attempt = steps[step].starts < attempts.count ? attempts[steps[step].starts] : attempts.last else {
            return (.succeeded(.null), .zero, nil)
        }
        guard let end = attempt.end, let duration = attempt.duration else { return nil }
        // An engine that stood still may have taken a result after its time.
        let allowed = attempt.start.deadline.map { $0 - attempt.started }
        return (end, allowed.map { min($0, duration) } ?? duration, attempt.endNumber)
    }

    /// A result that was never recorded, or of which something was taken out, is not held against a schema.
    private mutating func check(_ result: JSONText, _ step: StepIndex, _ number: SequenceNumber?) -> AttemptOutcome {
        let outcome = AttemptOutcome.succeeded(result, metadata: nil)
        guard let number, run.isGenuine(number) else { return outcome }
        let checked = plan.template.steps[step].check(outcome)
        if case .failed(let failure) = checked { steps[step].misfit = "\(failure.message) (#\(number))" }
        return checked
    }

    /// An attempt that was given up ends at once.
    private mutating func stop(_ lease: Lease) {
        answers.removeAll { $0.lease == lease }
        guard let attempt = running[lease] else { return }
        answer(Answer(due: now, number: .zero, lease: lease, command: .finishAttempt(id, attempt, .stopped)))
    }

    private mutating func answer(_ answer: Answer) {
        let place =
            answers.firstIndex { ($0.due, $0.number, $0.lease) < (answer.due, answer.number, answer.lease) }
            ?? answers.endIndex
        answers.insert(answer, at: place)
    }

    // MARK: Operators

    /// - Parameter atRest: nothing else will happen, so that what can be done of it is done.
    /// - Returns: whether it could be done.
    private mutating func perform(_ action: EventRecord, atRest: Bool) -> Bool {
        let command: Command
        switch action.event {
        case .operatorRetried(let retried, let reason):
            var retried = retried.compactMap(index)
            if atRest { retried.removeAll { steps[$0].state != .error } }
            guard !retried.isEmpty else { return false }
            command = .retryTask(id, steps: retried, reason: reason)
        case .operatorResolved(let resolved, let result, let reason):
            guard let resolved = index(resolved) else { return false }
            command = .resolveStep(id, resolved, result: result, reason: reason)
        case .operatorCancelled(let reason): command = .cancelTask(id, reason: reason)
        case .operatorPaused(let reason): command = .pauseTask(id, reason: reason)
        case .operatorResumed(let reason): command = .resumeTask(id, reason: reason)
        default: return false
        }
        do throws(Rejection) { try turn([command]) } catch { return false }
        return true
    }

    /// The place of a step of the recording in the present template.
    private func index(_ recorded: StepIndex) -> StepIndex? {
        plan.index(of: run.story.template.steps[recorded].name)
    }
}
