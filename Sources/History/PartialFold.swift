import StepwellKernel
import StepwellLog
import StepwellModel

/// Folds a log that lacks events. The scheduler cannot be asked again: what it decided depended also on the tasks that are gone.
struct PartialFold {
    private(set) var state = State()
    /// Tasks of the present commit that are closed.
    private var closed: [TaskID: TaskSummary] = [:]
    /// Those that are open, in the order in which they came.
    private var touched: [TaskID] = []

    mutating func adopt(_ plan: Plan) { state.adopt(plan) }

    /// Whether the task is open, or has closed in the present commit.
    func knows(_ task: TaskID) -> Bool { state[task] != nil || closed[task] != nil }

    /// - Parameter earlier: the event's task as it was before, when it had closed before the event's commit.
    mutating func take(_ record: EventRecord, closed earlier: TaskSummary?) throws(LogError) {
        guard record.time >= state.time else {
            throw .corrupt("its time is before that of an earlier event", at: record.number)
        }
        if let task = record.task, var summary = closed[task] ?? earlier {
            summary.noteLate(record)
            closed[task] = summary
        }
        do throws(FoldError) {
            if let task = try state.fold(record) { closed[task.id] = task.summary }
        } catch { throw .corrupt(error.reason, at: record.number) }
        if let task = record.task, state[task] != nil { touched.append(task) }
    }

    /// Ends a commit: the tasks that it touched, as they are now.
    mutating func endCommit() -> [TaskSummary] {
        let open = Set(touched).compactMap { state[$0]?.summary }
        let all = (open + closed.values).sorted { $0.last < $1.last }
        touched.removeAll(keepingCapacity: true)
        closed.removeAll(keepingCapacity: true)
        return all
    }
}
