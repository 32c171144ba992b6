import Stepwell
import StepwellHistory
import StepwellLog
import StepwellModel
import StepwellTemplates

/// `stepwell graph`
struct GraphCommand: Command {
    private static let format = Option(
        name: "--format", value: "FORMAT", help: "text (standard), mermaid, dot or json")
    private static let version = Option(
        name: "--version", value: "VERSION", help: "of a template that is known; without it the newest")

    static let help = CommandHelp(
        name: "graph", summary: "Draw the steps of a template, or of a task with their states.",
        operands: "FILE|NAMESPACE/NAME|TASK", operandCount: 1...1,
        details:
            "A file goes first. NAMESPACE/NAME is a template that the store knows; 'stepwell templates' lists them.",
        options: [format, version, .environment, .store, .server, .tokenFile],
        examples: ["stepwell graph pipeline.yaml --format dot | dot -Tsvg > pipeline.svg"])

    private let subject: String
    private let format: GraphText.Format
    private let environment: String?
    private let version: String?
    private let site: Site

    init(_ arguments: Arguments) throws {
        subject = arguments.operands[0]
        environment = arguments[.environment]
        version = arguments[Self.version]
        site = try Site(arguments)
        let word = arguments[Self.format] ?? "text"
        guard let format = GraphText.Format(rawValue: word) else {
            throw UsageError("'--format' takes text, mermaid, dot or json, not '\(word)'")
        }
        self.format = format
    }

    func run() async throws -> ExitCode {
        if Files.exists(subject) {
            let template = try TemplateLoader.load(path: subject, environment: environment)
            output(GraphText(template: template).text(format))
        } else if let name = TemplateName(subject, version: version), !subject.contains(".") {
            output(try site.backend.graph(ofTemplate: name, format))
        } else if subject.contains(where: { $0 == "." || $0 == "/" }) {
            // No id of a task has these; a file was meant.
            throw FileError(path: subject, reason: "No such file or directory", code: "unreadable_file")
        } else {
            output(try site.backend.graph(ofTask: subject, format))
        }
        return .success
    }
}
