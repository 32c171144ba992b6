import StepwellHistory
import StepwellModel

/// `stepwell templates`
struct TemplatesCommand: Command {
    static let help = CommandHelp(
        name: "templates", summary: "List the templates that a store knows, with their versions.",
        details: "A store knows what its tasks were submitted with by a server, and what a server was given.",
        options: [.store, .server, .tokenFile, .output],
        examples: ["stepwell templates", "stepwell templates --server https://stepwell.example.org -o json"])

    private let site: Site
    private let format: OutputFormat

    init(_ arguments: Arguments) throws {
        site = try Site(arguments)
        format = try OutputFormat(arguments)
    }

    func run() async throws -> ExitCode {
        let templates = try site.backend.templates()
        guard format == .table else {
            format.print(list: templates)
            return .success
        }
        guard !templates.isEmpty else {
            note("no templates")
            return .success
        }
        var table = Table("TEMPLATE", "VERSION", "STEPS", "DESCRIPTION")
        table.rows = templates.map { template in
            [
                "\(template["namespace"]?.string ?? "")/\(template["name"]?.string ?? "")",
                template["version"]?.string ?? "", String(template["steps"]?.int ?? 0),
                (template["description"]?.string ?? "").printable,
            ]
        }
        output(table.text)
        return .success
    }
}

extension OutputFormat {
    /// A list as one document, or an element a line.
    func print(list: [JSON]) {
        if self == .json { return output(JSON.array(list).pretty) }
        for element in list { output(JSONText(element).description) }
    }
}
