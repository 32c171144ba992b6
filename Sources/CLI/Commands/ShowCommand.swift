import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell show`
struct ShowCommand: Command {
    static let help = CommandHelp(
        name: "show", summary: "Show a task: its steps as a tree, attempts, errors, and what each step waits for.",
        operands: "TASK", operandCount: 1...1,
        details: "Works while an engine is writing the store.",
        options: [.store, .server, .tokenFile, .output],
        examples: ["stepwell show 0197c3e2", "stepwell show 0197c3e2 -o json"])

    private let site: Site
    private let format: OutputFormat
    private let task: String

    init(_ arguments: Arguments) throws {
        site = try Site(arguments)
        format = try OutputFormat(arguments)
        task = arguments.operands[0]
    }

    func run() async throws -> ExitCode {
        try site.backend.show(.report(task: task, details: true), format)
        return .success
    }
}
