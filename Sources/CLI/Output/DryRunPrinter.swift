import StepwellHistory
import StepwellLog
import StepwellModel

extension DryRun {
    /// Says what would happen. `what` is the sentence for people, such as `task 0197c3e2 would go on`.
    /// - Parameter input: of a fork: where its input differs from the old one.
    func print(_ what: String, task: TaskID?, _ format: OutputFormat, input: [JSONChange]? = nil) {
        let lists: [(title: String, member: String, steps: [String])] = [
            ("reused", "reused", reused), ("replaced", "replaced", replaced), ("would run next", "next", next),
            ("would run then", "later", later),
            ("would not run", "held", held),
        ]
        guard format == .table else {
            var members: [JSON.Member] = [.init("dry_run", .bool(true))]
            if let task { members.append(.init("task_id", .string(task.description))) }
            members += lists.map { .init($0.member, .array($0.steps.map(JSON.string))) }
            if let input { members.append(.init("input", .array(input.map(\.json)))) }
            output(JSONText(.object(members)).description)
            return
        }
        output("dry run, nothing was changed: \(what)")
        for change in input ?? [] { output("  input: \(change.text.printable)") }
        for list in lists where !list.steps.isEmpty {
            output("  \(list.title) (\(list.steps.count)): \(list.steps.joined(separator: ", "))")
        }
    }
}

extension EventReader {
    /// The places of steps in a task's template.
    func stepIndexes(of names: [String], in task: TaskID) throws -> [StepIndex] {
        guard let report = try TaskReport.read(task, from: self) else { throw TaskNameError.unknown(task.description) }
        return try names.map { name in
            guard let index = report.steps.firstIndex(where: { $0.name == name }) else {
                throw ForkError.unknownStep(name, report.steps.map(\.name))
            }
            return index
        }
    }
}
