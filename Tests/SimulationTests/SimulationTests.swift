import StepwellSimulation
import Testing

@Suite("Simulated lives")
struct SimulationTests {
    @Test("Nothing breaks an invariant", arguments: 0..<100 as Range<UInt64>)
    func holds(seed: UInt64) {
        let outcome = Simulation.run(Scenario(seed: seed, stepsMax: 40))
        #expect(outcome.violation == nil, "seed \(seed)")
        #expect(outcome.figures[.events] > 1)
    }
}
