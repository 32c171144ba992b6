import StepwellKernel
import StepwellLog
import StepwellModel

extension TaskRecord {
    /// The SHA-256 of where the task stands, over deterministic CBOR that `docs/bundle-format.md` describes. It is the same wherever
    /// the same events are folded.
    ///
    /// - Parameters:
    ///   - last: the task's last event, which may have come late when the task was closed.
    ///   - eventCount: how many events it has.
    func stateHash(last: SequenceNumber, eventCount: Int) -> [UInt8] {
        var writer = CBORWriter()
        writer.array(6)
        writer.taskID(id)
        writer.unsigned(state.rawValue)
        writer.unsigned(first.rawValue)
        writer.unsigned(last.rawValue)
        writer.unsigned(eventCount)
        writer.array(steps.count)
        for step in steps {
            writer.array(6)
            writer.unsigned(step.state.rawValue)
            writer.unsigned(step.attempt)
            writer.unsigned(step.losses)
            writer.unsigned(step.since.rawValue)
            writer.unsigned(step.result.rawValue)
            writer.unsigned(step.checkpoint.rawValue)
        }
        return SHA256.hash(writer.bytes)
    }
}

/// A task folded from its own events.
struct FoldedTask {
    var summary: TaskSummary
    var stateHash: [UInt8]

    /// - Throws: ``FoldError`` when the events cannot follow each other.
    init(_ records: some Sequence<EventRecord>, _ template: Template, digest: TemplateDigest) throws {
        var state = State()
        state.adopt(Plan(template, digest: digest))
        var task: TaskRecord?
        var last: EventRecord?
        var count = 0
        for record in records {
            if let closed = try state.fold(record) { task = closed }
            last = record
            count += 1
        }
        guard let last, let id = last.task, let task = task ?? state[id] else {
            throw LogError.corrupt("the task has no events", at: last?.number)
        }
        summary = task.summary
        summary.last = last.number
        summary.changed = last.time
        summary.eventCount = UInt32(count)
        stateHash = task.stateHash(last: last.number, eventCount: count)
    }
}
