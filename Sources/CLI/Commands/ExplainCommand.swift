import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell explain`
struct ExplainCommand: Command {
    static let help = CommandHelp(
        name: "explain", summary: "Say why a task or a step waits or has failed, and what can be done.",
        operands: "TASK [STEP]", operandCount: 1...2,
        details: """
            In sentences, each with the numbers of the events that bear it out; 'stepwell events TASK' shows them. With STEP the
            whole story of that step, with the beginning of what it was given and of its result. Works while an engine is
            writing the store.
            """,
        options: [.store, .server, .tokenFile, .output],
        examples: ["stepwell explain 0197c3e2", "stepwell explain 0197c3e2 extract_inventory_data"])

    private let site: Site
    private let format: OutputFormat
    private let task: String
    private let step: String?

    init(_ arguments: Arguments) throws {
        site = try Site(arguments)
        format = try OutputFormat(arguments)
        task = arguments.operands[0]
        step = arguments.operand(1)
    }

    func run() async throws -> ExitCode {
        let backend = site.backend
        try backend.show(.explanation(task: task, step: step), format)
        backend.tellHold()
        return .success
    }
}
