import Stepwell
import StepwellEngine
import StepwellModel
import StepwellSimulation
import StepwellTemplates

/// `stepwell simulate`
struct SimulateCommand: Command {
    private static let seeds = Option(name: "--seeds", value: "N", help: "how many lives (1000)")
    private static let first = Option(name: "--first", value: "SEED", help: "the seed of the first (0)")
    private static let seed = Option(
        name: "--seed", value: "SEED", help: "that one life alone; of a template, event by event")
    private static let steps = Option(
        name: "--steps", value: "N", help: "without a template: no more steps in one (1000)")
    private static let faults = Option(
        name: "--faults", value: "LIST",
        help:
            "of a template: failures,fatal,timeouts,deaths,crashes,repeats,disk,clock, or none (the first and all but fatal)"
    )
    private static let attemptTime = Option(
        name: "--attempt-time", value: "SECONDS", help: "of a template: an attempt takes up to so long (10)")
    private static let taskTimeout = Option(
        name: "--task-timeout", value: "SECONDS", help: "of a template: tell in how many lives the task took longer")

    static let help = CommandHelp(
        name: "simulate", summary: "Live through crashes, lost writes and dead workers in virtual time.",
        operands: "[TEMPLATE.yaml]", operandCount: 0...1,
        details: """
            Each seed is one life of a store: the production loop over a simulated disk, with a simulated clock and simulated
            workers. The same seed gives the same life on every machine. Ends with 10 at the first that breaks an invariant of
            Stepwell, and prints the smallest life that breaks it too, and the events that led there.

            With a template, each life is one task of it. Tells how often each step ran at worst, how long the task took, and
            which steps can block it because of what. No handler runs: attempts are made up.
            """,
        options: [
            seeds, first, seed, steps, faults, .input, .environment, attemptTime, taskTimeout, .output,
        ],
        examples: [
            "stepwell simulate --seeds 20000", "stepwell simulate --seed 4711",
            "stepwell simulate nightly.yaml --seeds 1000 --faults deaths,timeouts,crashes,failures",
        ])

    private let first: UInt64
    private let count: UInt64
    private let isAlone: Bool
    private let stepsMax: Int
    private let subject: TrialSubject?
    private let format: OutputFormat

    init(_ arguments: Arguments) throws {
        let seed = try arguments.integer(Self.seed, in: 0...Int.max - 1)
        let others = [Self.seeds, Self.first].filter(arguments.has)
        if seed != nil, let other = others.first { throw UsageError("'--seed' does not go with '\(other.name)'") }
        first = UInt64(try seed ?? arguments.integer(Self.first, in: 0...1 << 62) ?? 0)
        count = seed == nil ? UInt64(try arguments.integer(Self.seeds, in: 1...1_000_000_000) ?? 1000) : 1
        isAlone = seed != nil
        stepsMax = try arguments.integer(Self.steps, in: 1...100_000) ?? 1000
        format = try OutputFormat(arguments)
        let ofTemplates = [Self.faults, .input, .environment, Self.attemptTime, Self.taskTimeout]
        guard let path = arguments.operands.first else {
            if let option = ofTemplates.first(where: arguments.has) {
                throw UsageError("'\(option.name)' goes with a template", command: "simulate")
            }
            subject = nil
            return
        }
        if arguments.has(Self.steps) { throw UsageError("'--steps' does not go with a template", command: "simulate") }
        subject = TrialSubject(
            path: path, environment: arguments[.environment], input: try arguments.readInput(),
            faults: try Self.faults(in: arguments[Self.faults]),
            attemptTime: .seconds(Int64(try arguments.integer(Self.attemptTime, in: 1...86_400) ?? 10)),
            limit: try arguments.integer(Self.taskTimeout, in: 1...100_000_000).map { .seconds(Int64($0)) })
    }

    private static func faults(in word: String?) throws(UsageError) -> [Trial.Fault] {
        guard let word else { return Trial.Fault.allCases.filter { $0 != .fatal } }
        guard word != "none" else { return [] }
        var chosen: [Trial.Fault] = []
        for name in word.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
            guard let fault = Trial.Fault(rawValue: name) else {
                let near = nearest(to: name, in: Trial.Fault.allCases.map(\.rawValue))
                throw UsageError(
                    "'--faults' knows no '\(name)'" + (near.map { "; did you mean '\($0)'?" } ?? ""),
                    command: "simulate")
            }
            chosen.append(fault)
        }
        return Trial.Fault.allCases.filter(chosen.contains)
    }

    func run() async throws -> ExitCode {
        SeedOfTrap.watch()
        if let subject { return try run(subject) }
        var tally = SeedTally(first: first)
        let finding = live({ Scenario(seed: $0, stepsMax: stepsMax) }) { outcome, _ in tally.add(outcome) }
        switch format {
        case .table:
            if let finding { output(text(of: finding, steps: nil)) }
            output(tally.text)
        case .json: output(tally.json(finding).pretty)
        case .jsonl: output(JSONText(tally.json(finding)).description)
        }
        return finding == nil ? .success : .violation
    }

    private func run(_ subject: TrialSubject) throws -> ExitCode {
        let trial = try subject.trial()
        if isAlone { return show(trial) }
        var report = TrialReport(stepCount: trial.template.steps.count, limit: subject.limit)
        let finding = live(trial.scenario) { outcome, seed in
            if let task = outcome.tasks.first { report.add(task, seed: seed) }
        }
        if let finding {
            output(text(of: finding, steps: trial.template.steps.map(\.name)))
            return .violation
        }
        let text = TrialText(trial: trial, report: report, lives: count, faults: subject.faults, limit: subject.limit)
        switch format {
        case .table: output(text.text)
        case .json: output(text.json.pretty)
        case .jsonl: output(JSONText(text.json).description)
        }
        return .success
    }

    /// One life of a template, event by event.
    private func show(_ trial: Trial) -> ExitCode {
        SeedOfTrap.enter(first)
        let outcome = Simulation.run(trial.scenario(seed: first), isTraced: true)
        let names = trial.template.steps.map(\.name)
        for record in outcome.trace { output(format == .table ? record.line(names) : record.jsonLine(names)) }
        guard let violation = outcome.violation else { return .success }
        note("error: \(violation)")
        return .violation
    }

    /// Lives through all seeds, up to the first that breaks an invariant.
    private func live(
        _ scenario: (UInt64) -> Scenario, _ take: (Simulation.Outcome, UInt64) -> Void
    ) -> Finding? {
        var progress = SeedProgress(count: count)
        defer { progress.end() }
        for seed in first..<first + count {
            SeedOfTrap.enter(seed)
            let scenario = scenario(seed)
            let outcome = Simulation.run(scenario)
            take(outcome, seed)
            if let violation = outcome.violation { return Finding(scenario, violation) }
            progress.show(done: seed - first + 1)
        }
        return nil
    }

    private func text(of finding: Finding, steps: [String]?) -> String {
        let events = finding.events.map { $0.line(steps) }.joined(separator: "\n")
        // What else must be typed to get the same life.
        let others = subject.map { " \($0.path) …" } ?? (stepsMax == 1000 ? "" : " --steps \(stepsMax)")
        return """
            \(finding)

            the last events before it breaks:
            \(events)

            see it again: stepwell simulate\(others) --seed \(finding.seed)

            """
    }
}

/// What a template's lives are made of.
private struct TrialSubject {
    let path: String
    let environment: String?
    let input: JSONText
    let faults: [Trial.Fault]
    let attemptTime: Milliseconds
    let limit: Milliseconds?

    /// Reads the template, and checks the input as a submission would.
    func trial() throws -> Trial {
        let template = try TemplateLoader.load(path: path, environment: environment)
        try Engine.check(template, input: input)
        return Trial(template, input: input, faults: faults, duration: attemptTime)
    }
}
