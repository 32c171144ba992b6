import StepwellKernel
import StepwellModel

/// Reads along in the log and knows nothing of the kernel: what must hold of any history, whatever was decided.
struct Auditor {
    private struct Step {
        var isSatisfied = false
        var resultCount = 0
        /// Since the last reset.
        var failureCount = 0
        var lossCount = 0
        var running: Lease?
        var kind: WorkerJoin.Kind?
        var due: Timestamp?
    }

    private struct Task {
        let template: Template
        var steps: [Step]
        var last: SequenceNumber
        var eventCount: UInt32
        var hasStarted = false
        var isCancelled = false
        var isClosed = false
    }

    private struct Worker {
        let join: WorkerJoin
        var busy = 0
    }

    private var last: EventRecord?
    private var started = SequenceNumber.zero
    private var lastFact = SequenceNumber.zero
    private var tasks: [TaskID: Task] = [:]
    private var workers: [WorkerID: Worker] = [:]
    private var held: [Lease: AttemptID] = [:]
    private(set) var findings: [String] = []

    private mutating func expect(_ isTrue: Bool, _ finding: @autoclosure () -> String) {
        if !isTrue { findings.append("after \(last.map { "\($0.number)" } ?? "nothing"): \(finding())") }
    }

    // MARK: The log

    mutating func read(_ record: EventRecord, templates: [TemplateDigest: Template]) {
        expect(record.number == (last?.number ?? .zero).next, "\(record.number) leaves a gap")
        expect(record.time >= last?.time ?? .zero, "the time goes back")
        last = record
        if let isFact = record.event.isFact { expect(isFact != record.isDecision, "\(record.event) has a wrong cause") }
        if record.isDecision {
            expect(record.cause == lastFact, "\(record.event) does not name the fact before it as its cause")
        } else {
            lastFact = record.number
        }
        expect((record.actor == .scheduler) == record.isDecision, "\(record.actor) did \(record.event)")
        guard let id = record.task else { return readOfEngine(record) }
        if case .taskSubmitted(let submission) = record.event {
            expect(tasks[id] == nil, "the task exists already")
            let template = templates[submission.template]!
            tasks[id] = Task(
                template: template, steps: template.steps.map { _ in Step() }, last: .zero, eventCount: 0)
        }
        expect(record.previous == tasks[id]!.last, "\(record.previous) is not the task's event before")
        expect(record.taskNumber == tasks[id]!.eventCount + 1, "\(record.taskNumber) is not the task's next number")
        tasks[id]!.last = record.number
        tasks[id]!.eventCount += 1
        if tasks[id]!.isClosed { expect(record.event.isLate, "\(record.event) comes after the task's end") }
        readOfTask(id, record)
    }

    private mutating func readOfEngine(_ record: EventRecord) {
        expect(record.taskNumber == 0 && record.previous == .zero, "an event of the engine has no place in a task")
        switch record.event {
        case .engineStarted: (workers, started) = ([:], record.number)
        case .workerJoined(let join): workers[join.worker] = Worker(join: join)
        case .workerLeft(let worker, _): workers[worker] = nil
        default: break
        }
    }

    private mutating func readOfTask(_ id: TaskID, _ record: EventRecord) {
        switch record.event {
        case .attemptStarted(let start): begin(id, start, record)
        case .attemptSucceeded(let attempt, _, _):
            end(id, attempt)
            tasks[id]!.steps[attempt.step].resultCount += 1
            expect(tasks[id]!.steps[attempt.step].resultCount == 1, "a second result of step \(attempt.step)")
        case .attemptFailed(let attempt, _):
            end(id, attempt)
            tasks[id]!.steps[attempt.step].failureCount += 1
        case .attemptTimedOut(let attempt):
            expect(tasks[id]!.steps[attempt.step].running == attempt.lease, "\(attempt) does not run")
            tasks[id]!.steps[attempt.step].running = nil
            tasks[id]!.steps[attempt.step].failureCount += 1
        case .attemptLost(let attempt, let reason):
            end(id, attempt)
            let diedWithEngine = reason == .engineDied && tasks[id]!.steps[attempt.step].kind == .inProcess
            if reason == .workerDied || diedWithEngine { tasks[id]!.steps[attempt.step].lossCount += 1 }
            let lossesMax = tasks[id]!.template.steps[attempt.step].retry.lossesMax
            expect(tasks[id]!.steps[attempt.step].lossCount <= lossesMax, "more than \(lossesMax) losses")
        case .attemptStopped(let attempt), .resultRejected(let attempt, _): release(attempt)
        case .retryScheduled(let step, let due): tasks[id]!.steps[step].due = due
        case .retryDue(let step): expect(tasks[id]!.steps[step].due! <= record.time, "the retry is not due")
        case .stepReset(let step): (tasks[id]!.steps[step].failureCount, tasks[id]!.steps[step].lossCount) = (0, 0)
        case .stepCompleted(let step), .stepResolved(let step):
            expect(!tasks[id]!.steps[step].isSatisfied, "step \(step) is complete twice")
            tasks[id]!.steps[step].isSatisfied = true
        case .taskCompleted:
            expect(tasks[id]!.steps.allSatisfy(\.isSatisfied), "the task is complete and not all of its steps are")
            tasks[id]!.isClosed = true
        case .taskCancelled: (tasks[id]!.isClosed, tasks[id]!.isCancelled) = (true, true)
        default: break
        }
    }

    private mutating func begin(_ id: TaskID, _ start: AttemptStart, _ record: EventRecord) {
        let task = tasks[id]!
        let (step, template) = (task.steps[start.step], task.template.steps[start.step])
        expect(step.running == nil && !step.isSatisfied, "step \(start.step) runs or is complete already")
        expect(
            template.dependencies.allSatisfy { task.steps[$0].isSatisfied },
            "step \(start.step) starts before its dependencies are complete")
        expect(start.attempt == step.failureCount + 1, "attempt \(start.attempt) after \(step.failureCount) failures")
        expect(start.attempt <= template.retry.attemptsMax, "attempt \(start.attempt) is one too many")
        if let worker = workers[start.worker] {
            expect(worker.join.serves(template.handler), "\(start.worker) does not offer \(template.handler)")
            expect(worker.busy < worker.join.slots, "\(start.worker) has no free place")
        } else {
            expect(false, "\(start.worker) is not there")
        }
        workers[start.worker]?.busy += 1
        tasks[id]!.hasStarted = true
        tasks[id]!.steps[start.step].running = record.number
        tasks[id]!.steps[start.step].kind = start.workerKind
        held[record.number] = AttemptID(
            step: start.step, attempt: start.attempt, lease: record.number, worker: start.worker)
    }

    private mutating func end(_ id: TaskID, _ attempt: AttemptID) {
        expect(tasks[id]!.steps[attempt.step].running == attempt.lease, "\(attempt) does not run")
        expect(held[attempt.lease] == attempt, "\(attempt) is not the attempt that was started")
        tasks[id]!.steps[attempt.step].running = nil
        release(attempt)
    }

    private mutating func release(_ attempt: AttemptID) {
        // Workers' numbers begin anew with each start of the engine: an older lease has no worker any more.
        guard let taken = held.removeValue(forKey: attempt.lease), taken.lease > started else { return }
        workers[taken.worker]?.busy -= 1
    }

    // MARK: The state after a turn

    mutating func inspect(_ content: StateContent) {
        let open = tasks.filter { !$0.value.isClosed }
        expect(content.tasks.map(\.summary.id) == open.keys.sorted(), "other tasks are open than the log tells")
        for task in content.tasks { inspect(task) }
        for worker in content.workers {
            let busy = workers[worker.join.worker]?.busy
            expect(worker.busy == busy, "\(worker.join.worker) has \(worker.busy) attempts, not \(busy ?? 0)")
        }
        expect(content.workers.count == workers.count, "a worker too many or too few")
        guard !content.isStopping else { return }
        let free = content.workers.filter { $0.busy < $0.join.slots }
        for waiting in content.queue {
            let handler = tasks[waiting.task]!.template.steps[waiting.step].handler
            expect(!free.contains { $0.join.serves(handler) }, "\(waiting) waits though a worker is free")
        }
    }

    private mutating func inspect(_ task: StateContent.Task) {
        let audited = tasks[task.summary.id]!
        func count(_ states: StepState...) -> Int { task.steps.count { states.contains($0.state) } }
        let (active, waiting) = (count(.enqueued, .inProgress), count(.waitingForRetry))
        let (done, failed) = (count(.complete, .resolvedManually), count(.error))
        expect(
            [task.active, task.waiting, task.summary.stepsDone, task.summary.stepsFailed]
                == [active, waiting, done, failed], "the counts of \(task.summary.id) are wrong")
        expect(
            task.summary.last == audited.last && task.summary.eventCount == audited.eventCount,
            "\(task.summary.id) does not stand at its last event")
        let state: TaskState =
            if active > 0 { audited.hasStarted ? .inProgress : .pending } else if waiting > 0 {
                .waitingForRetry
            } else { .blockedByFailures }
        expect(task.summary.state == state, "the task is \(task.summary.state) though its steps say \(state)")
        for (place, step) in task.steps.enumerated() {
            let dependencies = audited.template.steps[place].dependencies
            expect(
                Int(step.remaining) == dependencies.count { !audited.steps[$0].isSatisfied },
                "step \(place) waits for \(step.remaining)")
            expect(step.state.satisfiesDependents == audited.steps[place].isSatisfied, "step \(place) is \(step.state)")
            if step.state == .pending { expect(step.remaining > 0, "step \(place) could have been enqueued") }
            expect(
                (step.state == .inProgress) == (audited.steps[place].running != nil), "step \(place) is \(step.state)")
        }
    }
}

extension WorkerJoin {
    func serves(_ handler: HandlerTemplate) -> Bool {
        switch handler.target {
        case .command: kind == .command
        case .callable(let name, _): kind != .command && handlers.contains { $0.name == name }
        }
    }
}

extension Event {
    /// What the outside world told, in contrast to what the scheduler made of it; nil for what may be either.
    fileprivate var isFact: Bool? {
        switch self {
        case .engineStarted, .engineDraining, .engineStopped, .workerJoined, .workerLeft, .clockClamped, .taskSubmitted,
            .attemptSucceeded, .attemptFailed, .attemptTimedOut, .attemptStopped, .attemptCheckpointed,
            .resultRejected, .retryDue, .operatorRetried, .operatorCancelled, .operatorResolved:
            true
        // Lost with its worker, it follows from the worker's end; given back by its runner, it is a report.
        case .attemptLost: nil
        default: false
        }
    }

    /// What may still come when the task is closed.
    fileprivate var isLate: Bool {
        switch self {
        case .attemptStopped, .resultRejected: true
        default: false
        }
    }
}
