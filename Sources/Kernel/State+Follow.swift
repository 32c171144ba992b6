import StepwellModel

// The scheduler: which decisions follow from an event. Each decision is recorded and applied at once, and is then asked the
// same question, so that a fact and all that follows from it stand in the log one after the other.

extension State {
    /// Records what follows directly from the event that was applied last.
    mutating func follow(_ event: Event, slot: Int?, _ turn: inout Turn) {
        if let slot { return followInTask(slot, event, &turn) }
        switch event {
        case .engineStarted: loseAttempts(.engineDied, &turn) { _ in true }
        case .workerLeft(let worker, _):
            // A worker that ends with the engine has not died of what it ran.
            loseAttempts(isStopping ? .engineStopped : .workerDied, &turn) { $0.worker == worker }
        default: break
        }
    }

    private mutating func followInTask(_ slot: Int, _ event: Event, _ turn: inout Turn) {
        switch event {
        case .taskSubmitted(let submission):
            let adopted = Set(submission.adopted)
            for root in tasks[slot].plan.roots where !adopted.contains(root) {
                decide(.stepEnqueued(root), slot, &turn)
            }
        case .attemptSucceeded(let attempt, _, _): decide(.stepCompleted(attempt.step), slot, &turn)
        case .attemptFailed(let attempt, let failure):
            afterFailure(slot, attempt, retryable: failure.retryable, asked: failure.retryAfter, &turn)
        case .attemptTimedOut(let attempt): afterFailure(slot, attempt, retryable: true, asked: nil, &turn)
        case .attemptLost(let attempt, _): afterLoss(slot, attempt.step, &turn)
        case .retryDue(let step): decide(.stepEnqueued(step), slot, &turn)
        case .resultAdopted(let adopted): decide(.stepAdopted(adopted.step), slot, &turn)
        case .stepCompleted(let step), .stepResolved(let step):
            enqueueDependents(of: step, slot, &turn)
            settle(slot, &turn)
        // The other adoptions are still to come, and at least one step runs in the end.
        case .stepAdopted(let step): enqueueDependents(of: step, slot, &turn)
        case .stepFailed, .retryScheduled: settle(slot, &turn)
        case .operatorRetried(let steps, _):
            for step in steps { decide(.stepReset(step), slot, &turn) }
        case .stepReset(let step): decide(.stepEnqueued(step), slot, &turn)
        case .operatorResolved(let step, _, _): decide(.stepResolved(step), slot, &turn)
        case .operatorCancelled: decide(.taskCancelled, slot, &turn)
        case .operatorResumed: settle(slot, &turn)
        default: break
        }
    }

    private mutating func enqueueDependents(of step: StepIndex, _ slot: Int, _ turn: inout Turn) {
        let plan = tasks[slot].plan
        for dependent in plan.dependents(of: step) {
            if tasks[slot].steps[Int(dependent)].isReady { decide(.stepEnqueued(Int(dependent)), slot, &turn) }
        }
    }

    /// Retry or fail, after an attempt that failed or ran too long.
    private mutating func afterFailure(
        _ slot: Int, _ attempt: AttemptID, retryable: Bool, asked: Milliseconds?, _ turn: inout Turn
    ) {
        let task = tasks[slot].id
        let policy = tasks[slot].plan.template.steps[attempt.step].retry
        guard retryable, policy.retryable else {
            return decide(.stepFailed(attempt.step, .notRetryable), slot, &turn)
        }
        guard attempt.attempt < policy.attemptsMax else {
            return decide(.stepFailed(attempt.step, .attemptsExhausted), slot, &turn)
        }
        let delay = Backoff.delay(policy, attempt: attempt.attempt, asked: asked, task: task, step: attempt.step)
        decide(.retryScheduled(attempt.step, due: turn.time.advanced(by: delay)), slot, &turn)
    }

    private mutating func afterLoss(_ slot: Int, _ step: StepIndex, _ turn: inout Turn) {
        let policy = tasks[slot].plan.template.steps[step].retry
        let isTooOften = Int(tasks[slot].steps[step].losses) >= policy.lossesMax
        decide(isTooOften ? .stepFailed(step, .lossesExhausted) : .stepEnqueued(step), slot, &turn)
    }

    private mutating func loseAttempts(
        _ reason: LossReason, _ turn: inout Turn, where isLost: (Leases.Entry) -> Bool
    ) {
        // A copy: each loss takes its entry out of the table.
        for entry in leases.held where entry.givenUp == nil && isLost(entry) {
            guard let slot = slots[entry.task] else { continue }
            decide(.attemptLost(entry.id, reason), slot, &turn)
        }
    }

    /// Says so when nothing of the task runs any more.
    private mutating func settle(_ slot: Int, _ turn: inout Turn) {
        guard let verdict = tasks[slot].verdict else { return }
        decide(verdict, slot, &turn)
    }

    /// Gives enqueued steps to free workers until nothing fits.
    mutating func schedule(_ turn: inout Turn) {
        guard !isStopping else { return }
        while turn.fault == nil, let (waiting, worker, kind) = nextMatch(at: turn.time) {
            let timeout = tasks[waiting.slot].plan.template.steps[waiting.step].timeout
            let start = AttemptStart(
                step: waiting.step, attempt: Int(tasks[waiting.slot].steps[waiting.step].attempt) + 1,
                worker: worker, workerKind: kind, deadline: timeout.map { turn.time.advanced(by: $0) },
                handlerVersion: handlerVersion(of: waiting, on: worker))
            decide(.attemptStarted(start), waiting.slot, &turn)
        }
    }

    /// What the worker has told of the step's handler.
    private func handlerVersion(of waiting: Lanes.Waiting, on worker: WorkerID) -> String? {
        guard lanes.isFair,
            case .callable(let name, _) = tasks[waiting.slot].plan.template.steps[waiting.step].handler.target,
            let version = lanes.worker(worker)?.handlers.first(where: { $0.name == name })?.version, !version.isEmpty
        else { return nil }
        return version
    }

    private mutating func nextMatch(
        at time: Timestamp
    ) -> (waiting: Lanes.Waiting, worker: WorkerID, kind: WorkerJoin.Kind)? {
        lanes.nextMatch(at: time) { [tasks] in tasks.stands($0.step, of: $0.slot, since: $0.number) }
    }

    private mutating func decide(_ event: Event, _ slot: Int, _ turn: inout Turn) {
        record(event, slot: slot, &turn)
    }
}
