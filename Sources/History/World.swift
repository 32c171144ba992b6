package import StepwellKernel
package import StepwellLog
package import StepwellModel

/// The whole engine as it was at some moment: every open task, who ran what, what waited for whom.
package struct World: Sendable {
    package let state: State
    /// How many events there had been.
    package let events: SequenceNumber
    /// The time of the last of them.
    package let time: Timestamp

    /// Folds the log up to a moment.
    /// - Throws: ``LogError``, or ``FoldError`` when an event cannot follow those before it.
    package static func read(_ log: any EventReader, at moment: Moment = .end) throws -> World {
        let (state, report) = try Replay.fold(log, to: moment)
        return World(state: state, events: report.last, time: report.time)
    }

    /// Open tasks in the order of their ids.
    package var tasks: [TaskSummary] { state.openTasks.map(\.summary) }

    /// How many open tasks are in each state, in the order of the states.
    package var counts: [(state: TaskState, count: Int)] {
        let tasks = tasks
        return TaskState.allCases.filter { !$0.isClosed }.compactMap { state in
            let count = tasks.count { $0.state == state }
            return count == 0 ? nil : (state, count)
        }
    }

    /// An attempt that a worker held.
    package struct Attempt: Sendable {
        package let task: TaskID
        package let step: String
        package let id: AttemptID
        package let worker: WorkerJoin?
        package let deadline: Timestamp?
        /// Set when it had no say any more, but its worker had not ended it yet.
        package let givenUp: RejectedResult.Reason?
    }

    package var attempts: [Attempt] {
        state.content.held.map { held in
            let record = state[held.task]?.steps[held.attempt.step]
            let isCurrent = record?.since == held.attempt.lease && record?.state == .inProgress
            return Attempt(
                task: held.task, step: stepName(held.attempt.step, of: held.task), id: held.attempt,
                worker: state.worker(held.attempt.worker),
                deadline: isCurrent ? record.flatMap { $0.due == .never ? nil : $0.due } : nil,
                givenUp: held.givenUp)
        }
    }

    /// A step that was enqueued, or that a timer would wake.
    package struct Entry: Sendable {
        package let task: TaskID
        package let step: String
        package let number: SequenceNumber
        package let wait: WaitReason?
        package let due: Timestamp
        /// Of a timer: whether it ends a running attempt; else it is a retry that comes due.
        package let isDeadline: Bool
    }

    /// Enqueued steps, in the order in which those of one namespace go.
    package var queue: [Entry] { state.content.queue.map(entry) }

    /// What was due, the earliest first.
    package var timers: [Entry] { state.content.timers.map(entry) }

    package struct Worker: Sendable {
        package let join: WorkerJoin
        /// How many of its places are taken.
        package let busy: Int
    }

    package var workers: [Worker] { state.content.workers.map { Worker(join: $0.join, busy: $0.busy) } }

    /// The limits that were in force.
    package var limits: [LimitUse] { state.limits(at: time) }

    /// The last start of an engine; zero before the first.
    package var engineStarted: SequenceNumber { state.started }
    /// Whether that engine was told to stop. One that was killed does not say so.
    package var isStopping: Bool { state.isStopping }
    /// The only task that it worked on, if it was for one alone.
    package var focus: TaskID? { state.focus }

    private func entry(_ entry: StateContent.Entry) -> Entry {
        let record = state[entry.task]?.steps[entry.step]
        return Entry(
            task: entry.task, step: stepName(entry.step, of: entry.task), number: entry.number,
            wait: state.wait(of: entry.task, entry.step), due: record?.due ?? .never,
            isDeadline: record?.state == .inProgress)
    }

    /// A closed task whose attempts still run has let go of its template.
    private func stepName(_ step: StepIndex, of task: TaskID) -> String {
        state[task]?.plan.template.steps[step].name ?? "step \(step)"
    }
}

extension TaskReport {
    /// Adds what the task's own events do not tell: what enqueued steps wait for, and the names of workers.
    package mutating func addWaits(from log: any EventReader, at moment: Moment) throws {
        func isOthers(_ state: StepState) -> Bool { state == .enqueued || state == .inProgress }
        guard steps.contains(where: { isOthers($0.state) }) else { return }
        let state = try World.read(log, at: moment).state
        // An engine may have gone on since the task was read.
        guard let task = state[id] else { return }
        for step in steps.indices where isOthers(steps[step].state) && task.steps[step].state == steps[step].state {
            steps[step].wait = state.wait(of: id, step)
        }
    }
}
