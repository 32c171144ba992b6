import StepwellKernel
import StepwellLog
import StepwellModel

/// When a task is worth a snapshot: when its events since the last one are many beside its steps, so that the cost of writing
/// snapshots stays a fraction of that of the events. Small tasks never get one.
package struct SnapshotPolicy {
    /// Fewer events than this fold faster than a snapshot is read.
    private let eventsMin: UInt32
    /// Events a step between two snapshots.
    static let eventsPerStep: UInt32 = 2

    /// The number of events that the last snapshot of a task held.
    private var held: [TaskID: UInt32] = [:]

    package init(eventsMin: UInt32 = 256) {
        self.eventsMin = eventsMin
    }

    mutating func due(after summaries: [TaskSummary], in state: State) -> [TaskSnapshotBytes] {
        var due: [TaskSnapshotBytes] = []
        for summary in summaries {
            if summary.state.isClosed {
                if summary.eventCount >= eventsMin { held[summary.id] = nil }
                continue
            }
            let interval = max(eventsMin, Self.eventsPerStep * UInt32(summary.stepCount))
            guard summary.eventCount >= interval, summary.eventCount - (held[summary.id] ?? 0) >= interval,
                let task = state[summary.id]
            else { continue }
            held[summary.id] = summary.eventCount
            due.append(
                TaskSnapshotBytes(task: summary.id, number: summary.last, bytes: SnapshotCodec.encode(task)))
        }
        return due
    }
}
