import StepwellHistory
import StepwellLog
import StepwellModel

/// A task as it was after one of its events.
struct TaskMomentView {
    let story: TaskStory
    /// The event that was asked for, if it is another one than the story's last.
    let asked: SequenceNumber?
    /// The last decision that follows from the story's last event and is not told yet.
    let decided: SequenceNumber?

    /// - Parameter moment: the one that was asked for.
    init(_ story: TaskStory, at moment: Moment, _ log: any EventReader) throws {
        self.story = story
        asked = if case .event(let number) = moment, number != story.last.number { number } else { nil }
        var decided: SequenceNumber?
        if !story.last.isDecision {
            try log.events(of: story.id, after: story.last.number, payloads: .skipped) { record in
                if record.cause == story.last.number { decided = record.number }
            }
        }
        self.decided = decided
    }

    /// More of a kind are counted, not listed.
    private static let linesMax = 50

    private var names: [String] { story.template.steps.map(\.name) }

    var json: JSON {
        [
            "seq": .number(String(story.last.number.rawValue)), "time": .string(story.last.time.description),
            "event": story.last.json(names), "waits": story.report.waitsJSON,
            "task": story.report.json.json,
        ]
    }

    var text: String {
        var lines = ["after \(story.last.line(names))"]
        if let asked { lines.append("  \(asked) is no event of this task; this is its last one before") }
        if let decided {
            lines.append(
                "  what was decided because of it comes next; '--at \(decided.rawValue)' shows the task after that")
        }
        lines.append("")
        lines.append(ReportText(report: story.report, isColored: Terminal.stdoutIsColored).text)
        let narrator = Narrator(story)
        func section(_ heading: String, _ states: StepState...) {
            let steps = story.report.steps.indices.filter { states.contains(story.report.steps[$0].state) }
            let told = steps.prefix(Self.linesMax).compactMap { step in
                narrator.wait(of: step).map { "  \(narrator.name(step)) \($0)" }
            }
            guard !told.isEmpty else { return }
            lines += ["", heading] + told
            if steps.count > told.count { lines.append("  and \(steps.count - told.count) more") }
        }
        section("running:", .inProgress)
        section("ready:", .enqueued)
        section("waiting:", .waitingForRetry)
        section("failed:", .error)
        return lines.joined(separator: "\n")
    }
}

extension TaskWalk.Frame {
    /// What the event has moved, a line each.
    func changeLines(_ names: [String]) -> [String] {
        changes.map { "\(names[$0.step]): \($0.before.name) → \($0.after.name)" }
            + [state.map { "the task is \($0.name)" }].compactMap(\.self)
    }

    func json(_ names: [String]) -> JSON {
        [
            "event": record.json(names),
            "changes": .array(
                changes.map {
                    [
                        "step": .string(names[$0.step]), "before": .string($0.before.name),
                        "after": .string($0.after.name),
                    ]
                }), "state": state.map { .string($0.name) } ?? .null,
        ]
    }
}
