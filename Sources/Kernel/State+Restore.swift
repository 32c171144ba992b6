package import StepwellModel

extension State {
    /// Takes in a task as a snapshot has kept it: its steps go back to their queues and timers.
    package mutating func restore(_ task: TaskRecord) {
        insert(task)
        guard let slot = slots[task.id] else { return }
        for (index, step) in task.steps.enumerated() {
            switch step.state {
            case .enqueued:
                lanes.push(
                    .init(priority: task.priority, number: step.since, slot: slot, step: index),
                    into: Int(task.route.lanes[index]))
            case .inProgress:
                leases.insert(
                    .init(
                        lease: step.since, worker: step.worker, task: task.id, step: index,
                        attempt: Int(step.attempt)))
                if step.due != .never { timers.arm(.init(due: step.due, number: step.since, slot: slot, step: index)) }
            case .waitingForRetry:
                timers.arm(.init(due: step.due, number: step.since, slot: slot, step: index))
            default: break
            }
        }
    }

    /// Ends a recovery: the state stands at the end of the log, though only open tasks were folded.
    package mutating func stand(at number: SequenceNumber, time: Timestamp) {
        last = number
        self.time = time
    }
}
