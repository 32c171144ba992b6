import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell diff`
struct DiffCommand: Command {
    static let help = CommandHelp(
        name: "diff", summary: "Compare two tasks: the first place at which they went apart, and all that differs.",
        operands: "TASK_A TASK_B", operandCount: 2...2,
        details: """
            For 'it worked last night'. Compared are the templates, inputs, results, attempts, errors, workers, and times that differ
            more than twofold and by more than a second; ids and times of day are not. Ends with 0 when the tasks are alike, and
            with 1 when they differ.
            """,
        options: [.store, .server, .tokenFile, .output],
        examples: ["stepwell diff 2026-11-23 2026-11-24", "stepwell diff 0197c3e2 last -o json"])

    private let site: Site
    private let format: OutputFormat
    private let tasks: [String]

    init(_ arguments: Arguments) throws {
        site = try Site(arguments)
        format = try OutputFormat(arguments)
        tasks = arguments.operands
    }

    func run() async throws -> ExitCode {
        let answer = try site.backend.show(.difference(tasks[0], tasks[1]), format)
        return answer.isAlike ? .success : .failure
    }
}
