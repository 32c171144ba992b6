import StepwellLog
import StepwellModel

/// A task's events step by step, in a form in which two tasks can be held against each other.
struct TaskTrail {
    /// An event without what always differs.
    private struct Mark: Hashable {
        var type: String
        var detail: String
        var result: JSONText?

        static func == (left: Mark, right: Mark) -> Bool {
            guard left.type == right.type, left.detail == right.detail else { return false }
            if left.result == right.result { return true }
            guard let one = left.result, let other = right.result else { return false }
            return JSONDiff.areEqual(one.json, other.json)
        }
    }

    let story: TaskStory
    /// For each step what happened to it, in order.
    private let steps: [[EventRecord]]

    static func read(_ id: TaskID, from log: any EventReader) throws -> TaskTrail? {
        var all: [EventRecord] = []
        let story = try TaskStory.read(id, from: log) { record, _ in
            if mark(of: record) != nil { all.append(record) }
        }
        guard let story else { return nil }
        var steps = [[EventRecord]](repeating: [], count: story.report.steps.count)
        for record in all {
            if case .operatorRetried(let chosen, _) = record.event {
                for step in chosen { steps[step].append(record) }
            } else if let step = record.event.step {
                steps[step].append(record)
            }
        }
        return TaskTrail(story: story, steps: steps)
    }

    /// Of the steps that both have, the first at which they went apart: the pair of events of which one is the earliest within
    /// its task.
    static func divergence(
        _ left: TaskTrail, _ right: TaskTrail, indexOfStep: (String) -> StepIndex?
    ) -> TaskDiff.Divergence? {
        var first: (number: UInt32, divergence: TaskDiff.Divergence)?
        for (index, step) in left.story.report.steps.enumerated() {
            guard let other = indexOfStep(step.name) else { continue }
            let (trail, otherTrail) = (left.steps[index], right.steps[other])
            let count = max(trail.count, otherTrail.count)
            for place in 0..<count {
                let record = place < trail.count ? trail[place] : nil
                let otherRecord = place < otherTrail.count ? otherTrail[place] : nil
                guard record.flatMap(mark) != otherRecord.flatMap(mark) else { continue }
                let number = min(record?.taskNumber ?? .max, otherRecord?.taskNumber ?? .max)
                if first.map({ number < $0.number }) ?? true {
                    first = (number, TaskDiff.Divergence(step: step.name, events: .init(record, otherRecord)))
                }
                break
            }
        }
        return first?.divergence
    }

    /// Nil for what says nothing of the way that a step went: when it is due again, what it has saved, what came late.
    private static func mark(of record: EventRecord) -> Mark? {
        let type = record.event.type.name
        switch record.event {
        case .attemptStarted(let start): return Mark(type: type, detail: String(start.attempt))
        case .attemptSucceeded(_, let result, _): return Mark(type: type, detail: "", result: result)
        case .attemptFailed(_, let failure):
            return Mark(type: type, detail: "\(failure.sentence) \(failure.retryable)")
        case .attemptLost(_, let reason): return Mark(type: type, detail: reason.name)
        case .stepFailed(_, let reason): return Mark(type: type, detail: reason.name)
        case .operatorResolved(_, let result, _): return Mark(type: type, detail: "", result: result)
        case .resultAdopted(let adopted): return Mark(type: type, detail: "", result: adopted.result)
        case .attemptCheckpointed, .attemptStopped, .resultRejected, .retryScheduled, .retryDue: return nil
        case .operatorRetried: return Mark(type: type, detail: "")
        default: return record.event.step == nil ? nil : Mark(type: type, detail: "")
        }
    }
}
