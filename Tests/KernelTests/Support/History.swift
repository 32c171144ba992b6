import StepwellKernel
import StepwellModel

/// A recorded log, and the three ways in which a new process can come back from it.
struct History {
    var records: ArraySlice<EventRecord>
    var templates: [TemplateDigest: Template]

    static let restart = Request(
        .startEngine(EngineStart(version: "2", processID: 2, host: "again")), by: .engine)

    func prefix(_ count: Int) -> History {
        History(records: records.prefix(count), templates: templates)
    }

    private var empty: State {
        var state = State()
        // In the log's order: each template before its first task.
        for record in records {
            guard case .taskSubmitted(let submission) = record.event else { continue }
            state.adopt(Plan(templates[submission.template]!, digest: submission.template))
        }
        return state
    }

    /// Folds the whole log.
    func folded() throws(FoldError) -> State {
        var state = empty
        for record in records { try state.apply(record) }
        return state
    }

    /// Folds each open task's own events, task by task, in the order of their ids.
    func foldedByTask() throws(FoldError) -> State {
        let tasks = try folded().openTasks.map(\.id)
        var own: [TaskID: [EventRecord]] = [:]
        for record in records {
            if let task = record.task { own[task, default: []].append(record) }
        }
        var state = empty
        for task in tasks {
            for record in own[task] ?? [] { try state.apply(record) }
        }
        stand(&state, tasks)
        return state
    }

    /// Takes each open task from a snapshot: from its fields, as they would come out of bytes.
    func restored() throws(FoldError) -> State {
        let tasks = try folded().openTasks
        var state = empty
        for task in tasks {
            let route = state.adopt(task.plan)
            state.restore(
                TaskRecord(
                    summary: task.summary, route: route, last: task.last, eventCount: task.eventCount,
                    state: task.state, changed: task.changed, steps: task.steps))
        }
        stand(&state, tasks.map(\.id))
        return state
    }

    /// What the log's head and its index of keys tell.
    private func stand(_ state: inout State, _ open: [TaskID]) {
        var newest: [String: TaskID] = [:]
        for record in records {
            guard let task = record.task, case .taskSubmitted(let submission) = record.event else { continue }
            if let key = submission.key { newest[key] = task }
        }
        restoreLimits(&state)
        for task in open {
            if let key = state[task]?.key, newest[key] != task { state.releaseKey(of: task) }
        }
        if let last = records.last { state.stand(at: last.number, time: last.time, registered: .zero) }
    }

    /// What the log's table of limits has: their events, and the buckets as the last start has left them.
    private func restoreLimits(_ state: inout State) {
        guard let rows = try? folded().limitRows else { return }
        for row in rows {
            for record in records where record.number == row.number {
                if case .limitSet(let change) = record.event { state.restore(change, row) }
            }
        }
    }

    /// What a state decides when its engine starts again.
    static func decisions(afterRestartOf state: inout State) -> [EventRecord] {
        var turn = Turn(time: state.time)
        do {
            try state.perform(restart.command, by: restart.actor, in: &turn)
        } catch {
            fatalError("a start of the engine is never refused: \(error)")
        }
        state.end(&turn)
        return turn.records
    }
}
