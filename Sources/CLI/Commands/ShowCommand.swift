import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell show`
struct ShowCommand: Command {
    static let help = CommandHelp(
        name: "show", summary: "Show a task: its steps as a tree, attempts, errors, and what each step waits for.",
        operands: "TASK", operandCount: 1...1,
        details: "Works while an engine is writing the store.",
        options: [.store, .output], examples: ["stepwell show 0197c3e2", "stepwell show 0197c3e2 -o json"])

    private let store: StoreLocation
    private let format: OutputFormat
    private let task: String

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
        format = try OutputFormat(arguments)
        task = arguments.operands[0]
    }

    func run() async throws -> ExitCode {
        let reader = try store.reader()
        let id = try reader.findTask(task)
        guard var report = try TaskReport.read(id, from: reader) else { throw TaskNameError.unknown(task) }
        try report.readForks(from: reader)
        ReportPrinter(format: format, showsDetails: true, activity: try reader.activity()).print(report)
        return .success
    }
}
