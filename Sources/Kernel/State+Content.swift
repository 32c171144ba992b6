package import StepwellModel

/// All that a state holds and any decision may depend on, in one order whatever way it came about. Two states with equal
/// contents decide alike: a fold, a recovery and the live state are held against each other by it.
package struct StateContent: Hashable, Sendable {
    package struct Task: Hashable, Sendable {
        package let summary: TaskSummary
        /// Whether the task is found by its identity key.
        package let ownsKey: Bool
        package let active: Int
        package let waiting: Int
        package let steps: ContiguousArray<StepRecord>
    }

    /// A step that is named by an event: enqueued by it, or to be woken by the timer that it armed.
    package struct Entry: Hashable, Sendable {
        package let task: TaskID
        package let step: StepIndex
        package let number: SequenceNumber
    }

    package struct Held: Hashable, Sendable {
        package let task: TaskID
        package let attempt: AttemptID
        package let givenUp: RejectedResult.Reason?
    }

    package struct Worker: Hashable, Sendable {
        package let join: WorkerJoin
        package let busy: Int
    }

    /// The last start in a namespace, or of a handler in it.
    package struct LastStart: Hashable, Sendable {
        package let namespace: String
        package var handler: String?
        package let number: SequenceNumber
    }

    package struct Limit: Hashable, Sendable {
        package let setting: LimitSetting
        package let row: LimitRow
        package let running: Int
    }

    package let last: SequenceNumber
    package let time: Timestamp
    package let started: SequenceNumber
    package let isStopping: Bool
    package let focus: TaskID?
    package let tasks: [Task]
    /// Enqueued steps, in the order in which those of one namespace go.
    package let queue: [Entry]
    package let held: [Held]
    /// The earliest first; the step's record says when.
    package let timers: [Entry]
    package let workers: [Worker]
    /// By namespace.
    package let lastStarts: [LastStart]
    /// By namespace and handler.
    package let handlerStarts: [LastStart]
    /// By their targets.
    package let limits: [Limit]
}

extension State {
    package var content: StateContent {
        StateContent(
            last: last, time: time, started: started, isStopping: isStopping, focus: focus,
            tasks: openTasks.map { task in
                StateContent.Task(
                    summary: task.summary,
                    ownsKey: task.key.map { keys[IdentityKey(task.plan.template, key: $0)] == task.id } ?? false,
                    active: task.active, waiting: task.waiting, steps: task.steps)
            },
            queue: lanes.waiting { tasks.stands($0.step, of: $0.slot, since: $0.number) }
                .map { .init(task: tasks[$0.slot].id, step: $0.step, number: $0.number) },
            held: leases.held.map { .init(task: $0.task, attempt: $0.id, givenUp: $0.givenUp) },
            timers: timers.armed { tasks.stands($0.step, of: $0.slot, since: $0.number) }
                .map { .init(task: tasks[$0.slot].id, step: $0.step, number: $0.number) },
            workers: lanes.workers.map { .init(join: $0.join, busy: $0.busy) },
            lastStarts: lanes.lastStarts, handlerStarts: lanes.handlerStarts, limits: lanes.limitContents)
    }
}
