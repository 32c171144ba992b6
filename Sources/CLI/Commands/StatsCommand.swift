import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell stats`
struct StatsCommand: Command {
    static let help = CommandHelp(
        name: "stats", summary: "Count what a store holds: events, tasks, bytes, free pages, readers.",
        details: "Goes through all events once. Works while an engine is writing the store.",
        options: [.store, .server, .tokenFile, .output], examples: ["stepwell stats", "stepwell stats -o json"])

    private let site: Site
    private let format: OutputFormat

    init(_ arguments: Arguments) throws {
        site = try Site(arguments)
        format = try OutputFormat(arguments)
    }

    func run() async throws -> ExitCode {
        try site.backend.show(.statistics, format)
        return .success
    }
}
