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
        options: [.store, .output],
        examples: ["stepwell explain 0197c3e2", "stepwell explain 0197c3e2 extract_inventory_data"])

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
        let step = try step.map { try names.index(ofStep: $0) }
        guard let explanation = try Explanation.read(id, step: step, from: reader, activity: reader.activity()) else {
            throw TaskNameError.unknown(task)
        }
        format.print(explanation.json, table: Self.text(explanation))
        // The store knows nothing of a hold.
        RunningServer(store)?.tellHold()
        return .success
    }

    private static func text(_ explanation: Explanation) -> String {
        let isColored = Terminal.stdoutIsTerminal
        var lines = explanation.sentences.enumerated().map { index, sentence in
            index == 0 ? sentence.description.colored(.bold, if: isColored) : "  \(sentence)"
        }
        if !explanation.actions.isEmpty {
            lines.append("")
            for action in explanation.actions { lines.append("\(action.command)\n    \(action.purpose)") }
        }
        return lines.joined(separator: "\n")
    }
}
