import StepwellHistory
import StepwellLog
import StepwellModel

extension DryRun {
    /// Says what would happen. `what` is the sentence for people, such as `task 0197c3e2 would go on`.
    /// - Parameter input: of a fork: where its input differs from the old one.
    func print(_ what: String, task: TaskID?, _ format: OutputFormat, input: [JSONChange]? = nil) {
        let lists: [(title: String, steps: [String])] = [
            ("reused", reused), ("replaced", replaced), ("would run next", next), ("would run then", later),
            ("would not run", held),
        ]
        guard format == .table else { return output(JSONText(json(task: task, input: input)).description) }
        output("dry run, nothing was changed: \(what)")
        for change in input ?? [] { output("  input: \(change.text.printable)") }
        for list in lists where !list.steps.isEmpty {
            output("  \(list.title) (\(list.steps.count)): \(list.steps.joined(separator: ", "))")
        }
    }
}
