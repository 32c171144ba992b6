package import StepwellModel

/// What a step that is not final waits for: what has to happen before it moves on.
package enum WaitReason: Hashable, Sendable {
    /// Steps that must be complete before and are not, in the order in which the template names them.
    case dependencies([StepIndex])
    /// The same, but nothing of it will happen: this step, somewhere before, has failed for good.
    case failure(of: StepIndex)
    /// The next attempt is due then.
    case retry(due: Timestamp)
    /// An attempt runs, on that worker if it is known; it is ended at its deadline.
    case attempt(AttemptID, on: WorkerJoin?, deadline: Timestamp?)
    /// It has failed for good: an operator must retry or resolve it.
    case person
    /// It is enqueued, but an operator has paused the task.
    case pause
    /// It is enqueued, but no engine has started, or the last one was told to stop.
    case engine
    /// It is enqueued, but the engine works on that task alone.
    case focus(TaskID)
    /// It is enqueued, but no worker offers the handler; nil: nobody runs commands. The namespace is told when some worker does,
    /// but not for templates of that one.
    case handler(String?, in: String? = nil)
    /// It is enqueued, but all places of these workers, which offer its handler, are taken.
    case place([WorkerJoin])
    /// It is enqueued, but a limit lets no more start: until one of those that run has ended, or, of a rate, until it is due.
    case limit(LimitSetting, due: Timestamp?)
    /// Nothing: the scheduler takes it on within this very turn.
    case turn

    /// The word used in JSON and documents.
    package var name: String {
        switch self {
        case .dependencies: "dependencies"
        case .failure: "failure"
        case .retry: "retry"
        case .attempt: "attempt"
        case .person: "person"
        case .pause: "pause"
        case .engine: "engine"
        case .focus: "focus"
        case .handler: "handler"
        case .place: "place"
        case .limit: "limit"
        case .turn: "turn"
        }
    }
}

extension TaskRecord {
    /// What each step waits for, as far as their own task knows, which knows no workers; nil for steps that are final, and for
    /// enqueued ones of a task that is not paused, for which ``State/wait(of:_:)`` is to be asked.
    package var waits: [WaitReason?] {
        let failures = failures
        return steps.indices.map { step in
            guard steps[step].state == .pending, let failed = failures[step] else { return wait(of: step) }
            return .failure(of: failed)
        }
    }

    /// For each step the first, in the template's order, of those that have failed for good and that it comes after.
    private var failures: [StepIndex?] {
        var failures = [StepIndex?](repeating: nil, count: steps.count)
        guard failed > 0 else { return failures }
        for root in steps.indices where steps[root].state == .error {
            var queue = [root]
            while let step = queue.popLast() {
                for dependent in plan.dependents(of: step).lazy.map(Int.init) where failures[dependent] == nil {
                    failures[dependent] = root
                    queue.append(dependent)
                }
            }
        }
        return failures
    }

    /// The same of one step, which does not see failures that lie further before.
    fileprivate func wait(of step: StepIndex) -> WaitReason? {
        let record = steps[step]
        switch record.state {
        case .pending:
            let missing = plan.template.steps[step].dependencies.filter { !steps[$0].state.satisfiesDependents }
            return missing.isEmpty ? .turn : .dependencies(missing)
        case .waitingForRetry: return .retry(due: record.due)
        case .inProgress:
            return .attempt(
                AttemptID(step: step, attempt: Int(record.attempt), lease: record.since, worker: record.worker),
                on: nil, deadline: record.due == .never ? nil : record.due)
        case .error: return .person
        case .enqueued: return state == .paused ? .pause : nil
        case .complete, .skipped, .cancelled, .resolvedManually: return nil
        }
    }
}

extension State {
    /// What a step of an open task waits for; nil when it is final or there is no such task.
    package func wait(of task: TaskID, _ step: StepIndex) -> WaitReason? {
        guard let record = self[task], record.steps.indices.contains(step) else { return nil }
        guard record.steps[step].state == .enqueued else {
            let reason = record.wait(of: step)
            guard case .attempt(let attempt, _, let deadline) = reason else { return reason }
            return .attempt(attempt, on: lanes.worker(attempt.worker), deadline: deadline)
        }
        guard record.state != .paused else { return .pause }
        guard started != .zero, !isStopping else { return .engine }
        if let focus, focus != task { return .focus(focus) }
        let serving = lanes.workers(serving: Int(record.route.lanes[step]))
        guard !serving.isEmpty else {
            let handler = record.plan.template.steps[step].handler
            let isServedElsewhere = lanes.workers.contains { $0.join.namespaces.contains { isServed(handler, in: $0) } }
            let namespace = isServedElsewhere ? record.plan.template.namespace : nil
            guard case .callable(let name, _) = handler.target else { return .handler(nil, in: namespace) }
            return .handler(name, in: namespace)
        }
        if let hold = lanes.hold(of: Int(record.route.lanes[step]), at: time) {
            return .limit(hold.setting, due: hold.due)
        }
        return serving.contains(where: \.isFree) ? .turn : .place(serving.map(\.join))
    }
}
