import Stepwell
import StepwellHistory
import StepwellLog
import StepwellModel
import StepwellTemplates

/// `stepwell graph`
struct GraphCommand: Command {
    private static let format = Option(name: "--format", value: "FORMAT", help: "text (standard), mermaid or dot")

    static let help = CommandHelp(
        name: "graph", summary: "Draw the steps of a template file, or of a task with their states.",
        operands: "FILE|TASK", operandCount: 1...1, options: [format, .environment, .store],
        examples: ["stepwell graph pipeline.yaml --format dot | dot -Tsvg > pipeline.svg"])

    private let subject: String
    private let format: GraphText.Format
    private let environment: String?
    private let store: StoreLocation

    init(_ arguments: Arguments) throws {
        subject = arguments.operands[0]
        environment = arguments[.environment]
        store = StoreLocation(arguments)
        let word = arguments[Self.format] ?? "text"
        guard let format = GraphText.Format(rawValue: word) else {
            throw UsageError("'--format' takes text, mermaid or dot, not '\(word)'")
        }
        self.format = format
    }

    func run() async throws -> ExitCode {
        if Files.exists(subject) {
            let template = try TemplateLoader.load(path: subject, environment: environment)
            output(GraphText(template: template, states: nil).text(format))
        } else if subject.contains(where: { $0 == "." || $0 == "/" }) {
            // No id of a task has these; a file was meant.
            throw FileError(path: subject, reason: "No such file or directory", code: "unreadable_file")
        } else {
            let reader = try store.reader()
            guard let report = try TaskReport.read(try reader.findTask(subject), from: reader) else {
                throw TaskNameError.unknown(subject)
            }
            output(GraphText(template: report.template, states: report.steps.map(\.state)).text(format))
        }
        return .success
    }
}
