package import StepwellModel

/// What must leave the engine after the commit that holds its event.
package enum Effect: Sendable {
    case deliver(Delivery)
    case stop(Lease, worker: WorkerID, timedOut: Bool)
    case reject(Lease, worker: WorkerID, RejectedResult.Reason)
    /// The task is closed, or blocked until somebody helps.
    case settled(TaskID, TaskState)
}

/// An attempt for a worker, with the places in the log of what it will read.
package struct Delivery: Sendable {
    package let task: TaskID
    package let attempt: AttemptID
    package let workerName: String
    package let plan: Plan
    package let deadline: Timestamp?
    package let submission: SequenceNumber
    package let checkpoint: SequenceNumber
    package let dependencyResults: [SequenceNumber]
}

extension State {
    /// What an event that was just applied sends out.
    func effect(of record: EventRecord, slot: Int?) -> Effect? {
        switch record.event {
        case .attemptStarted(let start):
            guard let slot else { return nil }
            return .deliver(delivery(start, lease: record.number, slot))
        case .attemptTimedOut(let attempt): return .stop(attempt.lease, worker: attempt.worker, timedOut: true)
        case .resultRejected(let attempt, let rejected):
            return .reject(attempt.lease, worker: attempt.worker, rejected.reason)
        case .taskCompleted: return record.task.map { .settled($0, .complete) }
        case .taskCancelled: return record.task.map { .settled($0, .cancelled) }
        case .taskBlocked: return record.task.map { .settled($0, .blockedByFailures) }
        default: return nil
        }
    }

    private func delivery(_ start: AttemptStart, lease: Lease, _ slot: Int) -> Delivery {
        let plan = tasks[slot].plan
        return Delivery(
            task: tasks[slot].id,
            attempt: AttemptID(step: start.step, attempt: start.attempt, lease: lease, worker: start.worker),
            workerName: lanes.worker(start.worker)?.name ?? "", plan: plan, deadline: start.deadline,
            submission: tasks[slot].first, checkpoint: tasks[slot].steps[start.step].checkpoint,
            dependencyResults: plan.template.steps[start.step].dependencies.map { tasks[slot].steps[$0].result })
    }
}
