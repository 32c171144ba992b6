package import StepwellKernel
package import StepwellLog
public import StepwellModel

/// Coming back after a stop or a crash: the open tasks are folded, each from its last snapshot, and nothing else is read.
package enum Recovery {
    /// The state at the end of the log.
    package static func fold(_ log: any EventLog) throws -> (state: State, eventsFolded: Int) {
        var state = State()
        var eventsFolded = 0
        for summary in try log.openTasks() {
            let route = try route(of: summary, in: log, &state)
            var folded = SequenceNumber.zero
            if let snapshot = try log.snapshot(of: summary.id),
                let task = SnapshotCodec.decode(snapshot, summary, route)
            {
                state.restore(task)
                folded = snapshot.number
            }
            try log.events(of: summary.id, after: folded, payloads: .skipped) { record in
                try state.apply(record)
                eventsFolded += 1
            }
            if try hasLostKey(summary, log) { state.releaseKey(of: summary.id) }
        }
        for row in try log.limits() {
            guard case .limitSet(let change) = try log.event(row.number)?.event else {
                throw LogError.corrupt("the event that sets a limit should be here", at: row.number)
            }
            state.restore(change, row)
        }
        state.stand(at: log.head.number, time: log.head.time, registered: try log.lastRegistration())
        return (state, eventsFolded)
    }

    /// Whether a newer task has taken over the key. It may be closed by now, and then only the log's index tells.
    private static func hasLostKey(_ task: TaskSummary, _ log: any EventLog) throws(LogError) -> Bool {
        guard let key = task.key else { return false }
        return try log.task(namespace: task.namespace, name: task.name, key: key) != task.id
    }

    private static func route(
        of summary: TaskSummary, in log: any EventLog, _ state: inout State
    ) throws -> Route {
        if let plan = state.plan(summary.template) { return state.adopt(plan) }
        guard let template = try log.template(summary.template) else {
            throw LogError.corrupt("the template \(summary.template) is missing", at: summary.first)
        }
        return state.adopt(Plan(template, digest: summary.template))
    }
}

/// What a start of the engine found and did.
public struct RecoveryReport: Sendable, CustomStringConvertible {
    public var eventsFolded: Int
    public var tasksOpen: Int
    /// Attempts that were running when the engine before this one ended, and are closed as lost.
    public var attemptsClosed: Int
    public var stepsEnqueued: Int
    /// Processes that the engine before this one had left behind, and that were ended.
    public var processesEnded: Int
    public var duration: Milliseconds

    public var description: String {
        var parts = [
            counted(eventsFolded, "event") + " folded", counted(tasksOpen, "task") + " open",
            counted(attemptsClosed, "attempt") + " closed as lost", counted(stepsEnqueued, "step") + " enqueued again",
        ]
        if processesEnded > 0 {
            parts.append(counted(processesEnded, "process", "processes") + " of the engine before ended")
        }
        return "recovered: " + parts.joined(separator: ", ") + " in \(duration)"
    }

    /// Whether there was anything to come back to.
    public var isNoteworthy: Bool { tasksOpen > 0 || processesEnded > 0 }
}
