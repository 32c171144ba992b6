package import StepwellModel

// The only switch over Event that changes the state. No decision is made here: an event says what has happened.

extension State {
    /// Folds one event into the state.
    /// - Throws: ``FoldError`` when the event is illegal after those before it; the state is then of no use.
    package mutating func apply(_ record: EventRecord) throws(FoldError) {
        let slot = record.task.flatMap { slots[$0] }
        try apply(record, task: record.task, slot: slot)
        if let slot, tasks[slot].state.isClosed { remove(slot) }
    }

    /// The same, of an event whose place is known; a task that it closes stays until the turn has summed it up.
    mutating func apply(_ record: EventRecord, task: TaskID?, slot: Int?) throws(FoldError) {
        if record.number > last { last = record.number }
        if record.time > time { time = record.time }
        guard let task else { return try applyToEngine(record) }
        if let slot {
            let next = try state(of: slot, after: record)
            try applyToTask(slot, record)
            moveTask(slot, to: next, record)
        } else if case .taskSubmitted(let submission) = record.event {
            try submit(task, submission, record)
        } else {
            try applyToClosedTask(record)
        }
    }

    private mutating func applyToEngine(_ record: EventRecord) throws(FoldError) {
        switch record.event {
        case .engineStarted(let start):
            started = record.number
            isStopping = false
            forget(leases.removeGivenUp { _ in true })
            lanes.clear()
            lanes.isFair = start.rules > 0
            focus = start.focus
            for slot in tasks.indices { pushAgain(slot) }
        case .engineDraining, .engineStopped: isStopping = true
        case .workerJoined(let join): lanes.join(join)
        case .templateRegistered: registered = record.number
        case .workerLeft(let worker, _):
            lanes.leave(worker)
            forget(leases.removeGivenUp { $0.worker == worker })
        case .limitSet(let change):
            try checkLimit(change.setting.target, change.previous, record.number)
            lanes.set(change.setting, by: record.number, at: record.time)
        case .limitRemoved(let removal):
            try checkLimit(removal.target, removal.limit, record.number)
            lanes.removeLimit(of: removal.target)
        case .limitDue(let limit):
            guard lanes.limits.target(of: limit) != nil else {
                throw FoldError(number: record.number, reason: "event \(limit) has set no limit that there is")
            }
        default: break
        }
    }

    /// What was given up has ended with its worker.
    private mutating func forget(_ entries: [Leases.Entry]) {
        for entry in entries { lanes.ended(Int(entry.lane)) }
    }

    /// An event about a limit must name the one that there is.
    private func checkLimit(
        _ target: LimitTarget, _ named: SequenceNumber, _ number: SequenceNumber
    ) throws(FoldError) {
        let known = lanes.limits.number(of: target) ?? .zero
        guard named == known else {
            throw FoldError(number: number, reason: "the limit for \(target) is \(known), not \(named)")
        }
    }

    private mutating func submit(
        _ id: TaskID, _ submission: Submission, _ record: EventRecord
    ) throws(FoldError) {
        guard let route = routes[submission.template] else {
            throw FoldError(number: record.number, reason: "the template \(submission.template) is missing")
        }
        let task = TaskRecord(id: id, route: route, submission: submission, number: record.number, time: record.time)
        guard !task.isVacant else { throw FoldError(number: record.number, reason: "the template has no steps") }
        _ = insert(task)
    }

    /// A closed task sees only what comes late from a worker.
    private mutating func applyToClosedTask(_ record: EventRecord) throws(FoldError) {
        switch record.event {
        case .attemptStopped(let attempt), .resultRejected(let attempt, _): try releaseLate(attempt, record.number)
        default:
            throw FoldError(
                number: record.number,
                reason: "task \(record.task.map(\.description) ?? "") is not open")
        }
    }

    /// Where the event leads the task.
    private func state(of slot: Int, after record: EventRecord) throws(FoldError) -> TaskState {
        let state = tasks[slot].state
        switch TaskMachine.table[state, record.event.taskTrigger] {
        case .moves(let next): return next
        case .stays: return state
        case .illegal: throw FoldError(number: record.number, reason: "the task is \(state.name)")
        }
    }

    private mutating func moveTask(_ slot: Int, to next: TaskState, _ record: EventRecord) {
        let wasPaused = tasks[slot].state == .paused
        if next == .paused, !wasPaused { withdraw(slot) }
        census.moveTask(from: tasks[slot].state, to: next)
        tasks[slot].state = next
        if wasPaused, next != .paused { pushAgain(slot) }
        tasks[slot].last = record.number
        tasks[slot].eventCount &+= 1
        tasks[slot].changed = record.time
    }

    private mutating func applyToTask(_ slot: Int, _ record: EventRecord) throws(FoldError) {
        let number = record.number
        switch record.event {
        case .stepEnqueued(let step):
            try move(slot, step, .stepEnqueued, number)
            push(step, of: slot)
        case .attemptStarted(let start):
            try move(slot, start.step, .attemptStarted, number)
            let used = Int(tasks[slot].steps[start.step].attempt)
            guard start.attempt == used + 1 else {
                throw FoldError(number: number, reason: "attempt \(start.attempt) comes after attempt \(used)")
            }
            begin(slot, start, record)
        case .attemptSucceeded(let attempt, _, _):
            try end(slot, attempt, .attemptSucceeded, number)
            tasks[slot].steps[attempt.step].result = number
        case .attemptFailed(let attempt, _): try end(slot, attempt, .attemptFailed, number)
        case .attemptTimedOut(let attempt):
            // The worker keeps its place until it has really ended the attempt.
            try check(slot, attempt, .attemptTimedOut, number)
            leases.giveUp(attempt.lease, because: .timedOut)
        case .attemptLost(let attempt, let reason):
            try end(slot, attempt, .attemptLost, number)
            lose(slot, attempt.step, reason)
        case .attemptCheckpointed(let attempt, _):
            try check(slot, attempt, .attemptCheckpointed, number)
            tasks[slot].steps[attempt.step].checkpoint = number
        case .attemptStopped(let attempt), .resultRejected(let attempt, _): try releaseLate(attempt, number)
        case .retryScheduled(let step, let due):
            try move(slot, step, .retryScheduled, number)
            tasks[slot].steps[step].due = due
            arm(step, of: slot)
        case .retryDue(let step): _ = try answer(slot, step, .retryDue, number)
        case .stepCompleted(let step):
            try move(slot, step, .stepCompleted, number)
            satisfyDependents(slot, step)
        case .stepFailed(let step, _): try move(slot, step, .stepFailed, number)
        case .stepReset(let step):
            try move(slot, step, .stepReset, number)
            tasks[slot].steps[step].attempt = 0
            tasks[slot].steps[step].losses = 0
        case .operatorResolved(let step, let result, _):
            _ = try answer(slot, step, .operatorResolved, number)
            tasks[slot].steps[step].result = result == nil ? .zero : number
        case .stepResolved(let step):
            try move(slot, step, .stepResolved, number)
            satisfyDependents(slot, step)
        case .resultAdopted(let adopted):
            _ = try answer(slot, adopted.step, .resultAdopted, number)
            tasks[slot].steps[adopted.step].result = number
        case .stepAdopted(let step):
            try move(slot, step, .stepAdopted, number)
            satisfyDependents(slot, step)
        case .taskCancelled: try cancelSteps(slot, number)
        case .operatorRetried, .operatorCancelled, .operatorPaused, .operatorResumed, .taskWaiting, .taskBlocked,
            .taskCompleted:
            break
        case .taskSubmitted, .engineStarted, .engineDraining, .engineStopped, .workerJoined, .workerLeft, .clockClamped,
            .storePruned, .templateRegistered, .limitSet, .limitRemoved, .limitDue:
            throw FoldError(number: number, reason: "it is no event of a task that exists")
        }
    }

    // MARK: Steps

    /// What the step's machine answers; throws when the event is illegal.
    private func answer(
        _ slot: Int, _ step: StepIndex, _ trigger: StepMachine.Trigger, _ number: SequenceNumber
    ) throws(FoldError) -> Transition<StepState> {
        guard tasks[slot].steps.indices.contains(step) else {
            throw FoldError(number: number, reason: "the task has no step number \(step)")
        }
        let state = tasks[slot].steps[step].state
        let transition = StepMachine.table[state, trigger]
        if transition == .illegal {
            let name = tasks[slot].plan.template.steps[step].name
            throw FoldError(number: number, reason: "step '\(name)' is \(state.name)")
        }
        return transition
    }

    private mutating func move(
        _ slot: Int, _ step: StepIndex, _ trigger: StepMachine.Trigger, _ number: SequenceNumber
    ) throws(FoldError) {
        guard case .moves(let next) = try answer(slot, step, trigger, number) else { return }
        let (lane, state) = (Int(tasks[slot].route.lanes[step]), tasks[slot].steps[step].state)
        if state == .enqueued, mayStart(slot) { lanes.left(lane) }
        tasks[slot].move(step, to: next, at: number)
        census.moveStep(in: lane, from: state, to: next)
        if next == .enqueued { census.enqueue(.init(number: number, slot: slot, step: step), in: lane) }
        if state == .enqueued {
            census.settle(lane) { [tasks] in tasks.stands($0.step, of: $0.slot, since: $0.number) }
        }
    }

    /// Puts an enqueued step into its lane. A step of a task that is paused waits for an operator, one of a task that is out of
    /// focus for an engine that works on it.
    mutating func push(_ step: StepIndex, of slot: Int) {
        guard mayStart(slot) else { return }
        let number = tasks[slot].steps[step].since
        lanes.push(
            .init(priority: tasks[slot].priority, number: number, slot: slot, step: step),
            into: Int(tasks[slot].route.lanes[step])
        ) { [tasks] in tasks.stands($0.step, of: $0.slot, since: $0.number) }
    }

    /// Sets the timer of a step that waits for its next attempt or must end in time.
    mutating func arm(_ step: StepIndex, of slot: Int) {
        let (due, number) = (tasks[slot].steps[step].due, tasks[slot].steps[step].since)
        timers.arm(.init(due: due, number: number, slot: slot, step: step)) { [tasks] in
            tasks.stands($0.step, of: $0.slot, since: $0.number)
        }
    }

    /// Whether enqueued steps of the task stand in their lanes.
    private func mayStart(_ slot: Int) -> Bool {
        tasks[slot].state != .paused && (focus == nil || focus == tasks[slot].id)
    }

    /// Takes the enqueued steps of a task out of their lanes.
    private mutating func withdraw(_ slot: Int) {
        guard mayStart(slot), tasks[slot].active > 0 else { return }
        var swept = Set<Int>()
        for step in tasks[slot].steps.indices where tasks[slot].steps[step].state == .enqueued {
            let lane = Int(tasks[slot].route.lanes[step])
            lanes.left(lane)
            if swept.insert(lane).inserted { lanes.remove(from: lane) { $0.slot == slot } }
        }
    }

    /// The queues begin anew with each start of the engine, which may have another focus, and with the end of a pause.
    private mutating func pushAgain(_ slot: Int) {
        guard tasks[slot].active > 0 else { return }
        for step in tasks[slot].steps.indices where tasks[slot].steps[step].state == .enqueued { push(step, of: slot) }
    }

    private mutating func begin(_ slot: Int, _ start: AttemptStart, _ record: EventRecord) {
        tasks[slot].steps[start.step].attempt = UInt16(clamping: start.attempt)
        tasks[slot].steps[start.step].workerKind = start.workerKind
        tasks[slot].steps[start.step].worker = start.worker
        tasks[slot].steps[start.step].due = start.deadline ?? .never
        if start.deadline != nil { arm(start.step, of: slot) }
        leases.insert(
            .init(
                lease: record.number, worker: start.worker, task: tasks[slot].id, step: start.step,
                attempt: start.attempt, lane: tasks[slot].route.lanes[start.step]))
        lanes.occupy(start.worker)
        lanes.started(Int(tasks[slot].route.lanes[start.step]), record.number, at: record.time)
    }

    /// An event about the running attempt must name its lease.
    private func check(
        _ slot: Int, _ attempt: AttemptID, _ trigger: StepMachine.Trigger, _ number: SequenceNumber
    ) throws(FoldError) {
        _ = try answer(slot, attempt.step, trigger, number)
        let held = tasks[slot].steps[attempt.step].since
        guard held == attempt.lease else {
            throw FoldError(number: number, reason: "the lease \(attempt.lease) is not the step's, which is \(held)")
        }
    }

    private mutating func end(
        _ slot: Int, _ attempt: AttemptID, _ trigger: StepMachine.Trigger, _ number: SequenceNumber
    ) throws(FoldError) {
        try check(slot, attempt, trigger, number)
        release(attempt.lease)
    }

    /// What comes late frees the worker's place, but never that of an attempt that still has its say.
    private mutating func releaseLate(_ attempt: AttemptID, _ number: SequenceNumber) throws(FoldError) {
        if let entry = leases[attempt.lease], entry.givenUp == nil {
            throw FoldError(number: number, reason: "the attempt with lease \(attempt.lease) still runs")
        }
        release(attempt.lease)
    }

    private mutating func release(_ lease: Lease) {
        guard let entry = leases.remove(lease) else { return }
        lanes.release(entry.worker)
        lanes.ended(Int(entry.lane))
    }

    /// A lost attempt does not use up one of the step's attempts. The loss itself counts when the worker died with it: for a
    /// handler in this process that is also when the engine died.
    private mutating func lose(_ slot: Int, _ step: StepIndex, _ reason: LossReason) {
        tasks[slot].steps[step].attempt -= 1
        let countsAsLoss =
            switch reason {
            case .workerDied: true
            case .engineDied: tasks[slot].steps[step].workerKind == .inProcess
            case .engineStopped: false
            }
        if countsAsLoss { tasks[slot].steps[step].losses += 1 }
    }

    private mutating func satisfyDependents(_ slot: Int, _ step: StepIndex) {
        let plan = tasks[slot].plan
        for dependent in plan.dependents(of: step) {
            tasks[slot].steps[Int(dependent)].remaining -= 1
        }
    }

    private mutating func cancelSteps(_ slot: Int, _ number: SequenceNumber) throws(FoldError) {
        for step in tasks[slot].steps.indices {
            if tasks[slot].steps[step].state == .inProgress {
                leases.giveUp(tasks[slot].steps[step].since, because: .cancelled)
            }
            try move(slot, step, .taskCancelled, number)
        }
    }
}

extension Event {
    /// How the task's machine sees the event.
    var taskTrigger: TaskMachine.Trigger {
        switch self {
        case .stepEnqueued: .stepEnqueued
        case .attemptStarted: .attemptStarted
        case .taskWaiting: .taskWaiting
        case .taskBlocked: .taskBlocked
        case .taskCompleted: .taskCompleted
        case .taskCancelled: .taskCancelled
        case .operatorPaused: .operatorPaused
        case .operatorResumed: .operatorResumed
        case .attemptStopped, .resultRejected: .lateReport
        default: .other
        }
    }
}
