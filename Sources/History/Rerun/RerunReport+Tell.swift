package import StepwellModel

extension RerunReport {
    /// A line for the run, and one for each thing to be told of it.
    package func text(source: String) -> [String] {
        let sign = verdict == .alike ? "✓" : verdict == .changed ? "~" : "✗"
        let name = "\(template.namespace)/\(template.name) \(template.version)"
        var lines = ["\(sign) \(source)  \(task.short)  \(name)  \(outcome)"]
        lines += (differences + changes).map { "    \($0)" }
        // What had to be assumed matters where something is told of the run.
        lines += assumptions.map { "    assumed: \($0)" }
        return lines.map(\.printable)
    }

    private var outcome: String {
        let before = state.before?.name ?? ""
        return state.after == state.before ? before : "\(before) → \(state.after?.name ?? "refused")"
    }

    /// `docs/cli.md` lists the members.
    package func json(source: String) -> JSON {
        [
            "source": .string(source), "task_id": .string(task.description),
            "namespace": .string(template.namespace), "name": .string(template.name),
            "version": .string(template.version), "verdict": .string(verdict.rawValue),
            "state": ["before": state.before.json, "after": state.after.json],
            "duration_ms": [
                "before": .number(String(duration.before.rawValue)), "after": .number(String(duration.after.rawValue)),
            ],
            "differences": .array(differences.map(JSON.string)), "changes": .array(changes.map(JSON.string)),
            "assumptions": .array(assumptions.map(JSON.string)),
        ]
    }
}

extension TaskState? {
    fileprivate var json: JSON { map { .string($0.name) } ?? .null }
}
