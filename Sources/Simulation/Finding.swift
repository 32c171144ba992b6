package import StepwellModel

/// A seed whose life breaks an invariant, with all that helps to see why.
package struct Finding: Sendable, CustomStringConvertible {
    package let seed: UInt64
    package let violation: Violation
    /// The smallest scenario found that breaks the same invariant, and how it breaks it.
    package let smallest: Scenario
    package let smallestViolation: Violation
    /// Events around the break of the smallest scenario, the last one last.
    package let events: [EventRecord]

    private static let eventsMax = 16

    /// Shrinks the scenario, and lives through what is left once more.
    package init(_ scenario: Scenario, _ violation: Violation) {
        seed = scenario.seed
        self.violation = violation
        var shrinker = Shrinker(scenario) { Simulation.run($0).violation?.invariant == violation.invariant }
        shrinker.shrink()
        smallest = shrinker.smallest
        let outcome = Simulation.run(smallest, isTraced: true)
        smallestViolation = outcome.violation ?? violation
        events = Array(outcome.trace.suffix(Self.eventsMax))
    }

    package var description: String {
        """
        seed \(seed) breaks the invariant '\(violation.invariant)'
        \(violation.message), after event \(violation.number)

        the smallest life found that breaks it too:
        \(smallest)
        \(smallestViolation)
        """
    }
}
