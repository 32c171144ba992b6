import StepwellHistory
import StepwellModel

/// A task that is shown while it runs, as it was when that began.
struct WatchedTask: Sendable {
    struct Step: Sendable {
        var name: String
        var dependencies: [StepIndex]
        var state: StepState
        var attempts: Int
        var attemptsMax: Int
        var started: Timestamp?
        var completed: Timestamp?
    }

    var id: TaskID
    /// Of its template.
    var name: String
    var state: TaskState
    var steps: [Step]
    /// What happened up to this event is in it.
    var last: SequenceNumber
}

extension WatchedTask {
    init(_ report: TaskReport) {
        self.init(
            id: report.id, name: report.submission.name, state: report.state,
            steps: zip(report.steps, report.template.steps).map { step, template in
                Step(
                    name: step.name, dependencies: template.dependencies, state: step.state, attempts: step.attempts,
                    attemptsMax: step.attemptsMax, started: step.started, completed: step.completed)
            }, last: report.last)
    }

    /// Reads what a server tells of a task; nil when it tells something else.
    /// - Parameters:
    ///   - graph: the steps with their dependencies, in the template's order.
    ///   - last: an event that has happened before the server was asked.
    init?(_ report: JSON, graph: JSON, last: SequenceNumber) {
        guard let id = report["task_id"]?.string.flatMap({ TaskID($0) }), let name = report["name"]?.string,
            let state = report["state"]?.string.flatMap(TaskState.init(name:)), let nodes = graph["steps"]?.array
        else { return nil }
        let names = nodes.compactMap { $0["name"]?.string }
        let places = Dictionary(zip(names, names.indices), uniquingKeysWith: { first, _ in first })
        // By name: looking each one up anew would take long with very many steps.
        let reports = Dictionary(
            (report["steps"]?.members ?? []).map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        var steps: [Step] = []
        for node in nodes {
            guard let name = node["name"]?.string, let step = reports[name],
                let state = step["state"]?.string.flatMap(StepState.init(name:))
            else { return nil }
            steps.append(
                Step(
                    name: name,
                    dependencies: (node["dependencies"]?.array ?? []).compactMap { $0.string.flatMap { places[$0] } },
                    state: state, attempts: Int(step["attempts"]?.int ?? 0),
                    attemptsMax: Int(step["max_attempts"]?.int ?? 0),
                    started: step["started_at"]?.string.flatMap { Timestamp($0) },
                    completed: step["completed_at"]?.string.flatMap { Timestamp($0) }))
        }
        self.init(id: id, name: name, state: state, steps: steps, last: last)
    }
}
