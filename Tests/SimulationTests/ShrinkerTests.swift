import StepwellModel
import Testing

@testable import StepwellSimulation

@Suite("Making a scenario smaller")
struct ShrinkerTests {
    private func scenario() -> Scenario {
        var scenario = Scenario(seed: 3, stepsMax: 20)
        scenario.plots = [Plot(.of(12))]
        scenario.acts = (0..<40).map { Act(time: Int64($0), deed: .cancel(task: $0)) }
        scenario.conduct.fails = 10
        scenario.conduct.hangs = 10
        return scenario
    }

    @Test("Of all acts those are left that are needed")
    func acts() {
        let needed: Set<Int64> = [7, 31]
        var shrinker = Shrinker(scenario()) { needed.isSubset(of: $0.acts.map(\.time)) }
        shrinker.shrink()
        #expect(shrinker.smallest.acts.map(\.time) == [7, 31])
    }

    @Test("Steps that are left keep their names, and depend on what is left")
    func steps() {
        var shrinker = Shrinker(scenario()) { scenario in
            let names = scenario.plots[0].template.steps.map(\.name)
            return names.contains("s4") && names.contains("s9")
        }
        shrinker.shrink()
        let plot = shrinker.smallest.plots[0]
        #expect(plot.places == [4, 9])
        #expect(plot.template.steps.map(\.name) == ["s4", "s9"])
        #expect(plot.template.steps.map(\.dependencies) == [[], []])
    }

    @Test("Faults that are not needed go, and so do workers")
    func faults() {
        var shrinker = Shrinker(scenario()) { $0.conduct.hangs > 0 }
        shrinker.shrink()
        #expect(shrinker.smallest.conduct.hangs == 10)
        #expect(shrinker.smallest.conduct.fails == 0)
        #expect(shrinker.smallest.workers.isEmpty)
        #expect(shrinker.smallest.acts.isEmpty)
    }

    @Test("It ends when its runs are used up")
    func bounded() {
        var runs = 0
        var shrinker = Shrinker(scenario(), runsMax: 25) { _ in
            runs += 1
            return false
        }
        shrinker.shrink()
        #expect(runs == 25)
        #expect(shrinker.smallest.acts.count == 40)
    }
}

extension Template {
    /// A chain.
    fileprivate static func of(_ count: Int) -> Template {
        Template(
            namespace: "tests", name: "chain", version: "1",
            steps: (0..<count).map {
                StepTemplate(name: "s\($0)", handler: .callable("load"), dependencies: $0 == 0 ? [] : [$0 - 1])
            })
    }
}
