import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell logs`
struct LogsCommand: Command {
    static let help = CommandHelp(
        name: "logs", summary: "Show what the handlers of a task have written.", operands: "TASK [STEP]",
        operandCount: 1...2,
        details: "Lines come from a handler's log, from a Python handler's print, and from a command's standard error.",
        options: [.store, .server, .tokenFile, .output], examples: ["stepwell logs 0197c3e2 extract_sales_data"])

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
        let id = try backend.findTask(task)
        var all: [JSON] = []
        var isEmpty = true
        try backend.logLines(of: id, step: step) { line in
            isEmpty = false
            switch format {
            case .json: all.append(line)
            case .jsonl: output(JSONText(line).description)
            case .table: output(LogLine.text(line))
            }
        }
        if format == .json { output(JSON.array(all).pretty) }
        if isEmpty { note("\(step.map { "'\($0)'" } ?? "task \(id.short)") has written nothing") }
        return .success
    }
}
