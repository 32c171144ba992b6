import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell logs`
struct LogsCommand: Command {
    static let help = CommandHelp(
        name: "logs", summary: "Show what the handlers of a task have written.", operands: "TASK [STEP]",
        operandCount: 1...2,
        details: "Lines come from a handler's log, from a Python handler's print, and from a command's standard error.",
        options: [.store, .output], examples: ["stepwell logs 0197c3e2 extract_sales_data"])

    private let store: StoreLocation
    private let format: OutputFormat
    private let task: String
    private let step: String?

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
        format = try OutputFormat(arguments)
        task = arguments.operands[0]
        step = arguments.operands.count > 1 ? arguments.operands[1] : nil
    }

    func run() async throws -> ExitCode {
        let reader = try store.reader()
        let id = try reader.findTask(task)
        let names = try reader.stepNames(of: id)
        let wanted = try step.map { try names.index(ofStep: $0) }
        var all: [JSON] = []
        var isEmpty = true
        try reader.logLines(of: id, after: nil) { line in
            guard wanted == nil || wanted == line.step else { return true }
            isEmpty = false
            switch format {
            case .json: all.append(line.json(names))
            case .jsonl: output(JSONText(line.json(names)).description)
            case .table:
                let level = line.level == .info ? "" : " \(line.level.name):"
                output("\(line.time)  \(names[line.step]) #\(line.attempt)\(level)  \(line.text)")
            }
            return true
        }
        if format == .json { output(JSON.array(all).pretty) }
        if isEmpty { note("\(step.map { "'\($0)'" } ?? "task \(id.short)") has written nothing") }
        return .success
    }
}

extension LogLine {
    fileprivate func json(_ names: [String]) -> JSON {
        [
            "time": .string(time.description), "step": .string(names[step]), "attempt": .number(String(attempt)),
            "lease": .number(String(lease.rawValue)), "level": .string(level.name), "text": .string(text),
        ]
    }
}

extension [String] {
    /// The place of a step's name.
    func index(ofStep step: String) throws -> Int {
        if let index = firstIndex(of: step) { return index }
        let near = nearest(to: step, in: self)
        throw UsageError("the task has no step '\(step)'" + (near.map { "; did you mean '\($0)'?" } ?? ""))
    }
}
