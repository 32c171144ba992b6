package import StepwellModel

extension TaskDiff {
    /// The comparison as one JSON object. `docs/cli.md` lists the members.
    package var json: JSON {
        [
            "alike": .bool(isAlike), "before": .string(tasks.before.id.description),
            "after": .string(tasks.after.id.description), "first": first.map(json) ?? .null,
            "template": .array(template.map(\.json)), "input": .array(input.map(\.json)),
            "state": state.json { .string($0.name) },
            "duration_ms": duration.json { .number(String($0.rawValue)) }, "steps": .array(steps.map(json)),
        ]
    }

    private func json(_ first: Divergence) -> JSON {
        [
            "step": first.step.map(JSON.string) ?? .null,
            "before": first.events.before.map { $0.json(tasks.before.template.steps.map(\.name)) } ?? .null,
            "after": first.events.after.map { $0.json(tasks.after.template.steps.map(\.name)) } ?? .null,
        ]
    }

    private func json(_ step: Step) -> JSON {
        [
            "step": .string(step.name), "state": step.state.json { .string($0.name) },
            "result": .array(step.result.map(\.json)),
            "attempts": step.attempts.json { .array($0.map(JSON.string)) },
            "duration_ms": step.duration.json { .number(String($0.rawValue)) },
            "worker": step.worker.json(JSON.string),
        ]
    }
}

extension Optional {
    /// Null when there is no difference.
    fileprivate func json<Value>(_ value: (Value) -> JSON) -> JSON where Wrapped == TaskDiff.Pair<Value> {
        map { ["before": value($0.before), "after": value($0.after)] } ?? .null
    }
}
