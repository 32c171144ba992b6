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
    func effect(of record: EventRecord) -> Effect? {
        switch record.event {
        case .attemptStarted(let start):
            guard let id = record.task, let slot = slots[id], let task = tasks[slot] else { return nil }
            return .deliver(
                Delivery(
                    task: id,
                    attempt: AttemptID(
                        step: start.step, attempt: start.attempt, lease: record.number, worker: start.worker),
                    workerName: lanes.worker(start.worker)?.name ?? "", plan: task.plan, deadline: start.deadline, submission: task.first,
                    checkpoint: task.steps[start.step].checkpoint,
                    dependencyResults: task.plan.template.steps[start.step].dependencies.map {
                        task.steps[$0].result
                    }))
        case .attemptTimedOut(let attempt): return .stop(attempt.lease, worker: attempt.worker, timedOut: true)
        case .resultRejected(let attempt, let rejected):
            return .reject(attempt.lease, worker: attempt.worker, rejected.reason)
        case .taskCompleted: return record.task.map { .settled($0, .complete) }
        case .taskCancelled: return record.task.map { .settled($0, .cancelled) }
        case .taskBlocked: return record.task.map { .settled($0, .blockedByFailures) }
        default: return nil
        }
    }
}
