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
        options: [.store, .output],
        examples: ["stepwell diff 2026-11-23 2026-11-24", "stepwell diff 0197c3e2 last -o json"])

    private let store: StoreLocation
    private let format: OutputFormat
    private let tasks: [String]

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
        format = try OutputFormat(arguments)
        tasks = arguments.operands
    }

    func run() async throws -> ExitCode {
        let reader = try store.reader()
        let ids = try tasks.map { try reader.findTask($0) }
        guard let diff = try TaskDiff.read(ids[0], ids[1], from: reader) else { throw TaskNameError.unknown(tasks[0]) }
        format.print(diff.json, table: DiffText(diff: diff).text)
        return diff.isAlike ? .success : .failure
    }
}
