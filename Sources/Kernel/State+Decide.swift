package import StepwellModel

// The only switch over Command: what a wish or a report amounts to as a fact, or why it is refused.

/// A fact and the task that it is about.
package struct Fact: Sendable {
    package var task: TaskID?
    package var event: Event

    package init(_ event: Event, task: TaskID? = nil) {
        self.task = task
        self.event = event
    }

    /// The clock went back.
    package init(clampedFrom observed: Timestamp, to used: Timestamp) {
        self.init(.clockClamped(observed: observed, used: used))
    }
}

extension State {
    /// What a command amounts to. Changes nothing.
    ///
    /// - Parameter closed: the task that the command names, as the log's index knows it, when it is not open.
    /// - Throws: the reason for which the command is refused.
    package func decide(_ command: Command, closed: TaskSummary? = nil) throws(Rejection) -> Fact {
        switch command {
        case .startEngine(let start): return Fact(.engineStarted(start))
        case .drainEngine: return Fact(.engineDraining)
        case .stopEngine: return Fact(.engineStopped)
        case .registerTemplate(let template, let digest):
            guard template.unsupported.isEmpty else { throw .unsupported(template.unsupported) }
            guard !template.steps.isEmpty else { throw .noSteps }
            return Fact(
                .templateRegistered(
                    TemplateRegistration(
                        template: digest, namespace: template.namespace, name: template.name,
                        version: template.version, previous: registered)))
        case .setLimit(let setting, let reason):
            if let fault = setting.fault { throw .invalidLimit(setting.target, fault) }
            let known = lanes.limits.number(of: setting.target)
            guard known != nil || lanes.limits.count < LimitSetting.countMax else { throw .tooManyLimits }
            return Fact(.limitSet(LimitChange(setting, previous: known ?? .zero, reason: reason)))
        case .removeLimit(let target, let reason):
            guard let known = lanes.limits.number(of: target) else { throw .unknownLimit(target) }
            return Fact(.limitRemoved(LimitRemoval(target, limit: known, reason: reason)))
        case .pruneTasks(_, let pruning): return Fact(.storePruned(pruning))
        case .joinWorker(let join): return Fact(.workerJoined(join))
        case .loseWorker(let worker, let reason): return Fact(.workerLeft(worker, reason: reason))
        case .submitTask(let id, let submission, let template, let known, let replacing):
            return try submit(id, submission, template, known: known, replacing: replacing, closed: closed)
        case .forkTask(let id, let submission, let template, let results):
            for adopted in results where !template.steps.indices.contains(adopted.step) {
                throw .unknownStep(adopted.step)
            }
            guard submission.adopted == results.map(\.step), Set(submission.adopted).count == results.count,
                results.count < template.steps.count
            else { throw .nothingToRun }
            return try submit(id, submission, template, known: nil, replacing: true, closed: closed)
        case .finishAttempt(let id, let attempt, let outcome):
            return try finish(id, attempt, outcome, closed: closed)
        case .checkpointAttempt(let id, let attempt, let data):
            guard isRunning(id, attempt) else { throw .unknownLease(attempt.lease) }
            return Fact(.attemptCheckpointed(attempt, data: data), task: id)
        case .retryTask(let id, let steps, let reason):
            return try retry(try open(id, closed), steps, reason)
        case .cancelTask(let id, let reason):
            return Fact(.operatorCancelled(reason: reason), task: try open(id, closed).id)
        case .pauseTask(let id, let reason):
            let task = try open(id, closed)
            guard task.state != .paused else { throw .taskPaused(id) }
            return Fact(.operatorPaused(reason: reason), task: id)
        case .resumeTask(let id, let reason):
            let task = try open(id, closed)
            guard task.state == .paused else { throw .notPaused(id, task.state) }
            return Fact(.operatorResumed(reason: reason), task: id)
        case .resolveStep(let id, let step, let result, let reason):
            return try resolve(try open(id, closed), step, result, reason)
        }
    }

    /// The fact of the earliest timer that has come due, or nil.
    package mutating func dueFact(at now: Timestamp) -> Fact? {
        guard let timer = nextTimer(), timer.due <= now else {
            guard let limit = nextLimit(), limit.due <= now else { return nil }
            return Fact(.limitDue(limit.number))
        }
        let id = tasks[timer.slot].id
        if tasks[timer.slot].steps[timer.step].state == .waitingForRetry {
            return Fact(.retryDue(timer.step), task: id)
        }
        // The event that arms the timer of a running attempt is its lease.
        guard let entry = leases[timer.number] else { return nil }
        return Fact(.attemptTimedOut(entry.id), task: id)
    }

    /// When the next timer comes due.
    package mutating func nextDue() -> Timestamp? {
        guard let limit = nextLimit()?.due else { return nextTimer()?.due }
        return min(limit, nextTimer()?.due ?? .never)
    }

    /// The limit whose rate lets the next step start, of those that wait for nothing else.
    private func nextLimit() -> (due: Timestamp, number: SequenceNumber)? {
        isStopping ? nil : lanes.nextLimit()
    }

    private mutating func nextTimer() -> Timers.Timer? {
        timers.next { [tasks] in tasks.stands($0.step, of: $0.slot, since: $0.number) }
    }

    private func open(_ id: TaskID, _ closed: TaskSummary?) throws(Rejection) -> TaskRecord {
        if let task = self[id] {
            // A task that has closed in this very turn is still here.
            guard !task.state.isClosed else { throw .taskClosed(id, task.state) }
            return task
        }
        if let closed { throw .taskClosed(id, closed.state) }
        throw .unknownTask(id)
    }

    private func submit(
        _ id: TaskID, _ submission: Submission, _ template: Template, known: TaskID?, replacing: Bool,
        closed: TaskSummary?
    ) throws(Rejection) -> Fact {
        guard template.unsupported.isEmpty else { throw .unsupported(template.unsupported) }
        guard !template.steps.isEmpty else { throw .noSteps }
        guard -100...100 ~= submission.priority else { throw .priorityOutOfRange(submission.priority) }
        if let key = submission.key, let fault = Submission.fault(ofKey: key) { throw .invalidKey(fault) }
        guard slots[id] == nil, closed == nil else { throw .duplicateTask(id) }
        if let key = submission.key, !replacing {
            if let owner = keys[IdentityKey(template, key: key)] ?? known { throw .duplicateKey(key, owner) }
        }
        return Fact(.taskSubmitted(submission), task: id)
    }

    /// Whether the attempt is held just as its worker describes it, and has not been given up.
    private func isRunning(_ id: TaskID, _ attempt: AttemptID) -> Bool {
        guard let entry = leases[attempt.lease] else { return false }
        return entry.givenUp == nil && entry.task == id && entry.id == attempt
    }

    private func finish(
        _ id: TaskID, _ attempt: AttemptID, _ outcome: AttemptOutcome, closed: TaskSummary?
    ) throws(Rejection) -> Fact {
        let entry = leases[attempt.lease]
        if let entry, entry.task != id || entry.id != attempt { throw .unknownLease(attempt.lease) }
        if let entry, entry.givenUp == nil {
            switch outcome {
            case .succeeded(let result, let metadata):
                return Fact(.attemptSucceeded(attempt, result: result, metadata: metadata), task: id)
            case .failed(let failure): return Fact(.attemptFailed(attempt, failure), task: id)
            // Nobody gave it up, so only the engine's own end can have stopped it.
            case .stopped: return Fact(.attemptLost(attempt, .engineStopped), task: id)
            }
        }
        switch outcome {
        case .stopped:
            guard entry != nil else { throw .unknownLease(attempt.lease) }
            return Fact(.attemptStopped(attempt), task: id)
        case .succeeded: return try reject(id, attempt, entry?.givenUp, succeeded: true, closed: closed)
        case .failed: return try reject(id, attempt, entry?.givenUp, succeeded: false, closed: closed)
        }
    }

    private func reject(
        _ id: TaskID, _ attempt: AttemptID, _ givenUp: RejectedResult.Reason?, succeeded: Bool, closed: TaskSummary?
    ) throws(Rejection) -> Fact {
        let slot = slots[id]
        guard let stepCount = slot.map({ tasks[$0].steps.count }) ?? closed?.stepCount else {
            throw .unknownTask(id)
        }
        guard 0..<stepCount ~= attempt.step, attempt.lease <= last else { throw .unknownLease(attempt.lease) }
        let isClosed = slot.map { tasks[$0].state.isClosed } ?? true
        let reason = givenUp ?? (isClosed ? .taskClosed : isGone(attempt) ? .lost : .duplicate)
        return Fact(.resultRejected(attempt, RejectedResult(reason: reason, succeeded: succeeded)), task: id)
    }

    /// Whether the attempt's worker has left, and with it all that it held.
    private func isGone(_ attempt: AttemptID) -> Bool {
        attempt.lease < started || lanes.worker(attempt.worker) == nil
    }

    private func retry(_ task: TaskRecord, _ steps: [StepIndex], _ reason: String?) throws(Rejection) -> Fact {
        let failed = task.steps.indices.filter { task.steps[$0].state == .error }
        guard !failed.isEmpty else { throw .nothingToRetry(task.id, task.state) }
        for step in steps {
            guard task.steps.indices.contains(step) else { throw .unknownStep(step) }
            let state = task.steps[step].state
            guard state == .error else { throw .stepNotFailed(task.plan.template.steps[step].name, state) }
        }
        // Each step once, in the template's order.
        let named = Set(steps)
        let chosen = steps.isEmpty ? failed : failed.filter(named.contains)
        return Fact(.operatorRetried(steps: chosen, reason: reason), task: task.id)
    }

    private func resolve(
        _ task: TaskRecord, _ step: StepIndex, _ result: JSONText?, _ reason: String?
    ) throws(Rejection) -> Fact {
        guard task.steps.indices.contains(step) else { throw .unknownStep(step) }
        let state = task.steps[step].state
        guard StepMachine.resolvable.contains(state) else {
            throw .stepNotResolvable(task.plan.template.steps[step].name, state)
        }
        return Fact(.operatorResolved(step, result: result, reason: reason), task: task.id)
    }
}
