import StepwellKernel
import StepwellModel

extension State {
    /// The figures by going through all tasks and steps.
    var countedFigures: StateFigures {
        struct Place: Hashable {
            var namespace: String
            var handler: String?
        }
        var tasks = [Int](repeating: 0, count: TaskState.allCases.count)
        var steps = [Int](repeating: 0, count: StepState.allCases.count)
        var waiting: [Place: [SequenceNumber]] = [:]
        for task in openTasks {
            tasks[Int(task.state.rawValue)] += 1
            for (step, template) in zip(task.steps, task.plan.template.steps) {
                steps[Int(step.state.rawValue)] += 1
                guard step.state == .enqueued else { continue }
                var place = Place(namespace: task.plan.template.namespace)
                if case .callable(let name, _) = template.handler.target { place.handler = name }
                waiting[place, default: []].append(step.since)
            }
        }
        let lanes = waiting.map { place, numbers in
            StateFigures.Lane(
                namespace: place.namespace, handler: place.handler, waiting: numbers.count, oldest: numbers.min())
        }
        return StateFigures(
            tasks: tasks, steps: steps,
            lanes: lanes.sorted { ($0.namespace, $0.handler ?? "") < ($1.namespace, $1.handler ?? "") })
    }
}
