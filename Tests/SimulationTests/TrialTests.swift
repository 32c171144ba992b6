import StepwellModel
import StepwellSimulation
import Testing

@Suite("A template under faults")
struct TrialTests {
    /// Two steps that may fail twice, the second with a timeout.
    private let template = Template(
        namespace: "tests", name: "trial", version: "1",
        steps: [
            StepTemplate(name: "a", handler: .callable("h"), retry: RetryPolicy(attemptsMax: 2, lossesMax: 2)),
            StepTemplate(
                name: "b", handler: .command(["true"]), dependencies: [0], retry: RetryPolicy(attemptsMax: 2),
                timeout: .seconds(30)),
        ])

    private func report(_ faults: [Trial.Fault], lives: UInt64 = 150, limit: Milliseconds? = nil) throws -> TrialReport
    {
        let trial = Trial(template, input: .emptyObject, faults: faults, duration: .seconds(5))
        var report = TrialReport(stepCount: 2, limit: limit)
        for seed in 0..<lives {
            let outcome = Simulation.run(trial.scenario(seed: seed))
            #expect(outcome.violation == nil, "seed \(seed)")
            report.add(try #require(outcome.tasks.first), seed: seed)
        }
        return report
    }

    @Test("Without faults nothing blocks it, and no step runs twice")
    func well() throws {
        let report = try report([], lives: 40)
        #expect(report.completeCount == 40)
        #expect(report.steps.map(\.runsMax) == [1, 1])
        #expect(report.duration(percentile: 100).duration <= .seconds(11))
        #expect(report.lateCount == 0)
    }

    @Test("Deaths and crashes do not use up attempts; too many deaths block")
    func deaths() throws {
        let report = try report([.deaths, .crashes])
        let reasons = report.steps[0].blocks.map(\.reason)
        #expect(reasons == [.lossesExhausted])
        #expect(report.steps[0].blocks[0].faults == [.deaths])
        // A command does not die with a worker.
        #expect(report.steps[1].blocks.isEmpty)
        #expect(report.steps[1].runsMax > 1)
        #expect(report.completeCount + report.blockedCount == 150)
        #expect(report.blockedCount == report.steps[0].blockCount)
    }

    @Test("The seed of the worst case shows the worst case")
    func seeds() throws {
        let report = try report([.failures, .timeouts, .crashes])
        let trial = Trial(
            template, input: .emptyObject, faults: [.failures, .timeouts, .crashes], duration: .seconds(5))
        for (place, step) in report.steps.enumerated() {
            let task = try #require(Simulation.run(trial.scenario(seed: step.runsMaxSeed)).tasks.first)
            #expect(task.steps[place].startCount == step.runsMax)
            let blocked = Simulation.run(trial.scenario(seed: try #require(step.blockSeed)))
            #expect(blocked.tasks.first?.steps[place].failure == .attemptsExhausted)
        }
    }

    @Test("What takes longer than it should is counted")
    func late() throws {
        let all = try report([], lives: 20, limit: .zero)
        #expect(all.lateCount == 20)
        #expect(all.lateSeed == 0)
        let half = try report([], lives: 20, limit: all.duration(percentile: 50).duration)
        #expect(1...10 ~= half.lateCount)
    }
}
