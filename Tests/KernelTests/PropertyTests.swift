import StepwellKernel
import StepwellModel
import Testing

@Suite("Whatever happens")
struct PropertyTests {
    @Test(
        "No life of the engine breaks a rule, and every task ends when the faults end",
        arguments: 0..<24 as Range<UInt64>)
    func life(seed: UInt64) {
        var world = World(seed: seed, stepsMax: seed % 8 == 0 ? 300 : 3 + Int(seed % 24))
        for _ in 0..<150 where world.findings.isEmpty { world.step() }
        world.finish()
        #expect(world.findings.isEmpty, "\(world.findings.prefix(3))")
        #expect(world.driver.log.count > 50)
    }
}
