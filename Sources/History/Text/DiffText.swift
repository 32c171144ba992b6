import StepwellModel

/// A comparison of two tasks for people.
struct DiffText {
    let diff: TaskDiff

    /// More changes of a kind are counted, not listed.
    private static let changesMax = 20

    var text: String {
        var lines = [heading("A", diff.tasks.before), heading("B", diff.tasks.after), ""]
        guard !diff.isAlike else { return (lines + ["they are alike"]).joined(separator: "\n") }
        if let first = diff.first {
            lines.append(first.step.map { "they go apart at \($0):" } ?? "they go apart from the start:")
            lines.append("  A  \(told(first.events.before, diff.tasks.before))")
            lines.append("  B  \(told(first.events.after, diff.tasks.after))")
            lines.append("")
            if diff.template.isEmpty, diff.input.isEmpty { lines.append("template and input are alike") }
        }
        lines += section("template", diff.template) + section("input", diff.input)
        if let state = diff.state { lines.append("state: \(state.before.name) → \(state.after.name)") }
        if let duration = diff.duration { lines.append("took: \(duration.before) → \(duration.after)") }
        for step in diff.steps { lines += stepLines(step) }
        return lines.joined(separator: "\n")
    }

    private func heading(_ letter: String, _ story: TaskStory) -> String {
        let report = story.report
        let submission = report.submission
        let key = submission.key.map { "  key \($0)" } ?? ""
        let took = report.closed.map { "  took \($0 - report.submitted)" } ?? ""
        return "\(letter)  \(report.id.short)  \(submission.namespace)/\(submission.name) \(submission.version)  "
            + "\(report.state.name)\(key)  submitted \(report.submitted)\(took)"
    }

    private func told(_ record: EventRecord?, _ story: TaskStory) -> String {
        record?.line(story.template.steps.map(\.name)) ?? "nothing"
    }

    private func section(_ name: String, _ changes: [JSONChange], indent: String = "") -> [String] {
        guard !changes.isEmpty else { return [] }
        let told = changes.summed
        var lines = ["\(indent)\(name):"]
        lines += told.prefix(Self.changesMax).map { "\(indent)  \($0)" }
        if told.count > Self.changesMax { lines.append("\(indent)  and \(told.count - Self.changesMax) more") }
        return lines
    }

    private func stepLines(_ step: TaskDiff.Step) -> [String] {
        var lines = ["\(step.name):"]
        if let state = step.state { lines.append("  state: \(state.before.name) → \(state.after.name)") }
        if let attempts = step.attempts {
            lines.append("  attempts: \(told(attempts.before))")
            lines.append("         →  \(told(attempts.after))")
        }
        if let duration = step.duration { lines.append("  took: \(duration.before) → \(duration.after)") }
        if let worker = step.worker { lines.append("  worker: \(worker.before) → \(worker.after)") }
        return lines + section("result", step.result, indent: "  ")
    }

    private func told(_ attempts: [String]) -> String {
        attempts.isEmpty ? "none" : "\(attempts.count): " + attempts.prefix(Self.changesMax).joined(separator: "; ")
    }
}
