import StepwellEngine
import StepwellModel
import StepwellSimulation

/// `stepwell simulate`
struct SimulateCommand: Command {
    private static let seeds = Option(name: "--seeds", value: "N", help: "how many lives (1000)")
    private static let first = Option(name: "--first", value: "SEED", help: "the seed of the first (0)")
    private static let seed = Option(name: "--seed", value: "SEED", help: "that one life alone")
    private static let steps = Option(name: "--steps", value: "N", help: "no more steps in a template (1000)")

    static let help = CommandHelp(
        name: "simulate", summary: "Live through crashes, lost writes and dead workers in virtual time.",
        details: """
            Each seed is one life of a store: the production loop over a simulated disk, with a simulated clock and simulated
            workers. The same seed gives the same life on every machine. Ends with 10 at the first that breaks an invariant, and
            prints the smallest life that breaks it too, and the events that led there.
            """,
        options: [seeds, first, seed, steps, .output],
        examples: ["stepwell simulate --seeds 20000", "stepwell simulate --seed 4711"])

    private let first: UInt64
    private let count: UInt64
    private let stepsMax: Int
    private let format: OutputFormat

    init(_ arguments: Arguments) throws {
        let seed = try arguments.integer(Self.seed, in: 0...Int.max - 1)
        let others = [Self.seeds, Self.first].filter(arguments.has)
        if seed != nil, let other = others.first { throw UsageError("'--seed' does not go with '\(other.name)'") }
        first = UInt64(try seed ?? arguments.integer(Self.first, in: 0...1 << 62) ?? 0)
        count = seed == nil ? UInt64(try arguments.integer(Self.seeds, in: 1...1_000_000_000) ?? 1000) : 1
        stepsMax = try arguments.integer(Self.steps, in: 1...100_000) ?? 1000
        format = try OutputFormat(arguments)
    }

    func run() async throws -> ExitCode {
        SeedOfTrap.watch()
        var tally = SeedTally(first: first)
        var progress = SeedProgress(count: count)
        for seed in first..<first + count {
            SeedOfTrap.enter(seed)
            let scenario = Scenario(seed: seed, stepsMax: stepsMax)
            let outcome = Simulation.run(scenario)
            tally.add(outcome)
            if let violation = outcome.violation {
                progress.end()
                show(tally, Finding(scenario, violation))
                return .violation
            }
            progress.show(done: tally.count)
        }
        progress.end()
        show(tally, nil)
        return .success
    }

    private func show(_ tally: SeedTally, _ finding: Finding?) {
        switch format {
        case .table:
            if let finding {
                output("\(finding)\n\nsee it again: stepwell simulate --seed \(finding.seed)\(repeatedOptions)")
            }
            output(tally.text)
        case .json: output(tally.json(finding).pretty)
        case .jsonl: output(JSONText(tally.json(finding)).description)
        }
    }

    /// What else must be typed to get the same life.
    private var repeatedOptions: String { stepsMax == 1000 ? "" : " --steps \(stepsMax)" }
}
