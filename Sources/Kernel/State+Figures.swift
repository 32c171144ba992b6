package import StepwellModel

/// How many open tasks and steps are where.
package struct StateFigures: Hashable, Sendable {
    /// The steps of a handler in a namespace.
    package struct Lane: Hashable, Sendable {
        package let namespace: String
        /// Nil: steps with a command.
        package let handler: String?
        /// Enqueued steps, also of paused tasks.
        package let waiting: Int
        /// The event that has enqueued the one that has waited longest.
        package let oldest: SequenceNumber?

        package init(namespace: String, handler: String?, waiting: Int, oldest: SequenceNumber?) {
            self.namespace = namespace
            self.handler = handler
            self.waiting = waiting
            self.oldest = oldest
        }
    }

    /// By the numbers of the states.
    package let tasks: [Int]
    package let steps: [Int]
    /// Those in which steps wait, by namespace and handler.
    package let lanes: [Lane]

    package init(tasks: [Int], steps: [Int], lanes: [Lane]) {
        self.tasks = tasks
        self.steps = steps
        self.lanes = lanes
    }

    package func count(of state: TaskState) -> Int { tasks[Int(state.rawValue)] }
    package func count(of state: StepState) -> Int { steps[Int(state.rawValue)] }
}

extension State {
    /// Costs what there are handlers in namespaces, however many tasks are open.
    package var figures: StateFigures {
        let all = lanes.lanes.indices
        return StateFigures(
            tasks: TaskState.allCases.map { census.count(of: $0) },
            steps: StepState.allCases.map { state in all.reduce(0) { $0 + census.count(of: state, in: $1) } },
            lanes: all.compactMap { lane in
                let waiting = census.count(of: .enqueued, in: lane)
                guard waiting > 0 else { return nil }
                let place = lanes.lanes[lane].place
                return .init(
                    namespace: place.namespace, handler: place.handler == Lanes.commandHandler ? nil : place.handler,
                    waiting: waiting, oldest: census.oldest(in: lane))
            }.sorted { ($0.namespace, $0.handler ?? "") < ($1.namespace, $1.handler ?? "") })
    }
}
