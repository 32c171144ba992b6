import StepwellLog
package import StepwellModel

/// Runs scenarios.
package enum Simulation {
    /// What came of one scenario.
    package struct Outcome: Sendable {
        package var violation: Violation?
        package var figures: Figures
        /// The hash over all events, and how many there are: equal on every machine.
        package var head: [UInt8]
        package var tasks: [Ledger.Task]
        /// All events up to the break, of a life that was traced.
        package var trace: [EventRecord]
    }

    /// Lives through a scenario, up to the first violation of an invariant.
    package static func run(_ scenario: Scenario, isTraced: Bool = false) -> Outcome {
        let world = World(scenario, isTraced: isTraced)
        world.run()
        return Outcome(
            violation: world.violation, figures: world.figures, head: world.released.hash,
            tasks: world.ledger.tasks, trace: world.trace ?? [])
    }
}
