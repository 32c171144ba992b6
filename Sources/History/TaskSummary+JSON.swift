package import StepwellModel

extension TaskSummary {
    /// The task as one JSON object, as lists show it.
    package var json: JSON {
        [
            "task_id": .string(id.description), "namespace": .string(namespace), "name": .string(name),
            "version": .string(version), "digest": .string(template.description), "key": key.map(JSON.string) ?? .null,
            "state": .string(state.name),
            "priority": .number(String(priority)), "submitted_at": .string(submitted.description),
            "changed_at": .string(changed.description), "steps": .number(String(stepCount)),
            "steps_done": .number(String(stepsDone)), "steps_failed": .number(String(stepsFailed)),
            "events": .number(String(eventCount)),
        ]
    }
}
