import StepwellKernel
package import StepwellModel

extension TaskReport {
    /// What each step that is not final waits for, by the step's name.
    package var waitsJSON: JSON {
        .object(
            steps.compactMap { step in step.wait.map { JSON.Member(step.name, $0.json(template)) } })
    }
}

extension WaitReason {
    /// The reason as a JSON object; `reason` is its word, and the other members depend on it.
    package func json(_ template: Template) -> JSON {
        var members = [JSON.Member("reason", .string(name))]
        switch self {
        case .dependencies(let steps):
            members.append(.init("steps", .array(steps.map { .string(template.steps[$0].name) })))
        case .failure(let step): members.append(.init("step", .string(template.steps[step].name)))
        case .retry(let due): members.append(.init("due_at", .string(due.description)))
        case .attempt(let attempt, let worker, let deadline):
            members.append(.init("attempt", .number(String(attempt.attempt))))
            members.append(.init("lease", .number(String(attempt.lease.rawValue))))
            members.append(.init("worker", worker.map { .string($0.name) } ?? .null))
            if let deadline { members.append(.init("deadline", .string(deadline.description))) }
        case .focus(let task): members.append(.init("task_id", .string(task.description)))
        case .handler(let handler, let namespace):
            members.append(.init("handler", handler.map(JSON.string) ?? .null))
            if let namespace { members.append(.init("namespace", .string(namespace))) }
        case .place(let workers): members.append(.init("workers", .array(workers.map { .string($0.name) })))
        case .limit(let setting, let due):
            members.append(.init("scope", .string(setting.target.scope.name)))
            members.append(.init("name", .string(setting.target.name)))
            members.append(.init("due_at", due.map { .string($0.description) } ?? .null))
        case .person, .pause, .engine, .turn: break
        }
        return .object(members)
    }
}
