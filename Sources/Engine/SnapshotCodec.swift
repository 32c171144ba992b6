package import StepwellKernel
import StepwellLog
import StepwellModel

/// A task as bytes, for the snapshot table. A cache: bytes that do not decode are ignored, and the events are folded instead.
package enum SnapshotCodec {
    /// Raised whenever the layout changes; other layouts are ignored.
    private static let layout: UInt64 = 2

    package static func encode(_ task: TaskRecord) -> [UInt8] {
        var writer = CBORWriter()
        writer.checked { write(task, to: &$0) }
        return writer.bytes
    }

    private static func write(_ task: TaskRecord, to writer: inout CBORWriter) {
        writer.array(6)
        writer.unsigned(layout)
        writer.unsigned(task.last.rawValue)
        writer.unsigned(UInt64(task.state.rawValue))
        writer.unsigned(UInt64(task.eventCount))
        writer.integer(task.changed.milliseconds)
        writer.array(task.steps.count)
        for step in task.steps { write(step, to: &writer) }
    }

    private static func write(_ step: StepRecord, to writer: inout CBORWriter) {
        writer.array(10)
        writer.unsigned(UInt64(step.state.rawValue))
        writer.unsigned(UInt64(step.workerKind.rawValue))
        writer.unsigned(UInt64(step.worker.rawValue))
        writer.unsigned(UInt64(step.attempt))
        writer.unsigned(UInt64(step.losses))
        writer.unsigned(UInt64(step.remaining))
        writer.unsigned(step.since.rawValue)
        writer.unsigned(step.result.rawValue)
        writer.unsigned(step.checkpoint.rawValue)
        writer.integer(step.due.milliseconds)
    }

    /// Whether the bytes are what ``encode(_:)`` makes of the task, or of another layout, which is passed over.
    package static func agrees(_ bytes: [UInt8], with task: TaskRecord) -> Bool {
        bytes == encode(task)
            || bytes.withUnsafeBytes { bytes in
                guard var reader = try? CBORReader(checked: bytes), (try? reader.array()) != nil,
                    let found = try? reader.unsigned()
                else { return false }
                return found != layout
            }
    }

    /// The task, or nil if the bytes are of another layout or damaged.
    static func decode(_ snapshot: TaskSnapshotBytes, _ summary: TaskSummary, _ route: Route) -> TaskRecord? {
        snapshot.bytes.withUnsafeBytes { bytes in
            guard var reader = try? CBORReader(checked: bytes) else { return nil }
            return try? decode(&reader, snapshot, summary, route)
        }
    }

    private static func decode(
        _ reader: inout CBORReader, _ snapshot: TaskSnapshotBytes, _ summary: TaskSummary, _ route: Route
    ) throws(CBORError) -> TaskRecord? {
        guard try reader.array() == 6, try reader.unsigned() == layout,
            try reader.unsigned() == snapshot.number.rawValue,
            let state = TaskState(rawValue: UInt8(clamping: try reader.unsigned()))
        else { return nil }
        let eventCount = UInt32(clamping: try reader.unsigned())
        let changed = Timestamp(milliseconds: try reader.integer())
        let count = try reader.array()
        guard count == route.plan.stepCount else { return nil }
        var steps: ContiguousArray<StepRecord> = []
        steps.reserveCapacity(count)
        for _ in 0..<count {
            guard let step = try decodeStep(&reader) else { return nil }
            steps.append(step)
        }
        try reader.end()
        return TaskRecord(
            summary: summary, route: route, last: snapshot.number, eventCount: eventCount, state: state,
            changed: changed, steps: steps)
    }

    private static func decodeStep(_ reader: inout CBORReader) throws(CBORError) -> StepRecord? {
        guard try reader.array() == 10, let state = StepState(rawValue: UInt8(clamping: try reader.unsigned())),
            let kind = WorkerJoin.Kind(rawValue: UInt8(clamping: try reader.unsigned()))
        else { return nil }
        var step = StepRecord(remaining: 0)
        step.state = state
        step.workerKind = kind
        step.worker = WorkerID(UInt32(clamping: try reader.unsigned()))
        step.attempt = UInt16(clamping: try reader.unsigned())
        step.losses = UInt16(clamping: try reader.unsigned())
        step.remaining = UInt32(clamping: try reader.unsigned())
        step.since = SequenceNumber(try reader.unsigned())
        step.result = SequenceNumber(try reader.unsigned())
        step.checkpoint = SequenceNumber(try reader.unsigned())
        step.due = Timestamp(milliseconds: try reader.integer())
        return step
    }
}
