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
        format.print(
            list: try site.backend.templates(), of: "templates", "TEMPLATE", "VERSION", "STEPS", "DESCRIPTION"
        ) { template in
            [
                "\(template["namespace"]?.string ?? "")/\(template["name"]?.string ?? "")",
                template["version"]?.string ?? "", String(template["steps"]?.int ?? 0),
                (template["description"]?.string ?? "").printable,
            ]
        }
        return .success
    }
}
