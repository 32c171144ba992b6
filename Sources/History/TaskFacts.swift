package import StepwellLog
package import StepwellModel

/// What all events of a task have in common, looked up once each task.
package struct TaskFacts {
    private struct Facts {
        var template: TemplateDigest
        var first: SequenceNumber
        var correlationID: String?
    }

    private let reader: any StoreQueries
    private var byTemplate: [TemplateDigest: [String]] = [:]
    private var tasks: [TaskID: Facts] = [:]

    package init(reader: any StoreQueries) { self.reader = reader }

    package mutating func steps(of task: TaskID?) throws -> [String]? {
        guard let task, let digest = try facts(task)?.template else { return nil }
        if byTemplate[digest] == nil { byTemplate[digest] = try reader.template(digest)?.steps.map(\.name) }
        return byTemplate[digest]
    }

    package mutating func correlationID(of task: TaskID?) throws -> String? {
        guard let task, let facts = try facts(task) else { return nil }
        if let known = facts.correlationID { return known }
        guard case .taskSubmitted(let submission) = try reader.event(facts.first)?.event else { return nil }
        tasks[task]?.correlationID = submission.correlationID
        return submission.correlationID
    }

    private mutating func facts(_ task: TaskID) throws -> Facts? {
        if let known = tasks[task] { return known }
        guard let summary = try reader.task(task) else { return nil }
        // Bounded: a log of millions of tasks is read in order, and its tasks stand close together.
        if tasks.count > 10_000 { tasks.removeAll() }
        let facts = Facts(template: summary.template, first: summary.first)
        tasks[task] = facts
        return facts
    }
}
