package import StepwellModel

extension State {
    /// Folds an event as ``apply(_:)`` does, and hands over the task that it has closed: the state has let it go.
    package mutating func fold(_ record: EventRecord) throws(FoldError) -> TaskRecord? {
        let slot = record.task.flatMap { slots[$0] }
        try apply(record, task: record.task, slot: slot)
        guard let slot, tasks[slot].state.isClosed else { return nil }
        let closed = tasks[slot]
        remove(slot)
        return closed
    }
}
