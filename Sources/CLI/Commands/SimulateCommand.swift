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
            prints what is needed to see it again.
            """,
        options: [seeds, first, seed, steps, .output],
        examples: ["stepwell simulate --seeds 20000", "stepwell simulate --seed 4711"])

    private let first: UInt64
    private let count: UInt64
    private let stepsMax: Int

    init(_ arguments: Arguments) throws {
        let seed = try arguments.integer(Self.seed, in: 0...Int.max)
        first = UInt64(try seed ?? arguments.integer(Self.first, in: 0...Int.max) ?? 0)
        count = seed == nil ? UInt64(try arguments.integer(Self.seeds, in: 1...1_000_000_000) ?? 1000) : 1
        stepsMax = try arguments.integer(Self.steps, in: 1...100_000) ?? 1000
    }

    func run() async throws -> ExitCode {
        var figures = Figures()
        let start = monotonicMilliseconds()
        for seed in first..<first + count {
            let outcome = Simulation.run(Scenario(seed: seed, stepsMax: stepsMax))
            figures.add(outcome.figures)
            if let violation = outcome.violation {
                output("seed \(seed): \(violation)")
                return .violation
            }
        }
        let elapsed = monotonicMilliseconds() - start
        for kind in Figures.Kind.allCases { output("\(kind.rawValue): \(figures[kind])") }
        output("\(Int64(count) * 1000 / max(1, elapsed)) scenarios/s")
        return .success
    }
}
