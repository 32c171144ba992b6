import StepwellModel
import Testing

@testable import StepwellSimulation

@Suite("Simulated lives")
struct SimulationTests {
    @Test("No life breaks an invariant", arguments: 0..<40 as Range<UInt64>)
    func holds(seed: UInt64) {
        let outcome = Simulation.run(Scenario(seed: seed, stepsMax: 40))
        #expect(outcome.violation == nil, "seed \(seed)")
        #expect(outcome.figures[.events] > 1)
    }

    @Test("The same seed gives the same life", arguments: 0..<20 as Range<UInt64>)
    func repeats(seed: UInt64) {
        let first = Simulation.run(Scenario(seed: seed, stepsMax: 40))
        let second = Simulation.run(Scenario(seed: seed, stepsMax: 40))
        #expect(first.head == second.head)
        #expect(first.figures == second.figures)
    }

    @Test("It is the same on every machine")
    func sameEverywhere() {
        let heads = (0..<4 as Range<UInt64>).map { seed in
            Simulation.run(Scenario(seed: seed, stepsMax: 40)).head.prefix(8)
                .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }
        #expect(heads == Self.heads)
    }

    /// They change when a scenario is drawn in another way, or when the engine decides or writes in another way.
    private static let heads = ["acf20660bb323c05", "69752896f6e0abe1", "5df45555a7ad3702", "94ca151ff33dec21"]

    @Test("The seeds together have every kind of trouble")
    func variety() {
        var figures = Figures()
        for seed in 0..<150 as Range<UInt64> {
            figures.add(Simulation.run(Scenario(seed: seed, stepsMax: 8)).figures)
        }
        for kind in Figures.Kind.allCases { #expect(figures[kind] > 0, "\(kind)") }
    }

    @Test("Most scenarios are small, some are not")
    func sizes() {
        let sizes = (0..<2000 as Range<UInt64>).map { Scenario(seed: $0).plots[0].template.steps.count }
        #expect(sizes.count { $0 <= 10 } > 1800)
        #expect(sizes.contains { $0 >= 100 })
        #expect(sizes.allSatisfy { 1...1000 ~= $0 })
    }

    @Test("A task that nobody runs is told as stuck, with the smallest life and the events")
    func finding() throws {
        var scenario = Scenario(seed: 7, stepsMax: 5)
        scenario.workers = []
        scenario.endsCalmly = false
        scenario.acts = [
            Act(time: 3, deed: .submit(task: 0, plot: 0, key: nil, priority: 0, replacing: false)),
            Act(time: 5, deed: .setClock(-5)),
            Act(time: 9, deed: .cancel(task: 1)),
        ]
        let violation = try #require(Simulation.run(scenario).violation)
        #expect(violation.invariant == "progress")
        let finding = Finding(scenario, violation)
        #expect(finding.smallest.acts.count == 1)
        #expect(finding.smallest.plots[0].template.steps.count == 1)
        #expect(finding.events.last?.event == .stepEnqueued(0))
        let text = finding.description
        #expect(text.contains("seed 7 breaks the invariant 'progress'"))
        #expect(text.contains("at 3 ms: submit task 0 of template 0"))
    }
}
