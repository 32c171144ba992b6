package import StepwellModel

// Recovery without the whole log: each open task from its snapshot or its own events, in any order.

extension State {
    /// Takes in a task as a snapshot has kept it: its steps go back to their queues and timers.
    package mutating func restore(_ task: TaskRecord) {
        let slot = insert(task)
        for (index, step) in task.steps.enumerated() {
            switch step.state {
            case .enqueued:
                push(index, of: slot)
                census.enqueue(
                    .init(number: step.since, slot: slot, step: index), in: Int(task.route.lanes[index]))
            case .inProgress:
                leases.insert(
                    .init(
                        lease: step.since, worker: step.worker, task: task.id, step: index,
                        attempt: Int(step.attempt), lane: task.route.lanes[index]))
                lanes.holds(Int(task.route.lanes[index]))
                if step.due != .never { arm(index, of: slot) }
            case .waitingForRetry: arm(index, of: slot)
            default: break
            }
        }
    }

    /// Takes the identity key from an open task whose key a newer task, closed by now, has taken over. Of all that folding
    /// the whole log would tell, this alone is not in the open tasks' own events: the log's index knows it.
    package mutating func releaseKey(of task: TaskID) {
        if let slot = slots[task] { disown(slot) }
    }

    /// Takes in a limit as the log's table of limits has it. To be called when all tasks are there.
    package mutating func restore(_ change: LimitChange, _ row: LimitRow) {
        lanes.set(change.setting, by: row.number, bucket: row.bucket)
    }

    /// Ends a recovery: the state stands at the end of the log, though only open tasks were folded.
    package mutating func stand(at number: SequenceNumber, time: Timestamp, registered: SequenceNumber) {
        last = number
        self.registered = registered
        self.time = time
    }
}
