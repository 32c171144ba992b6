import StepwellEngine
import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell state`
struct StateCommand: Command {
    static let help = CommandHelp(
        name: "state",
        summary: "Show the whole engine as it was at a moment: open tasks, attempts, workers, timers, queue.",
        details: """
            Without --at as the log says it is now. A time of day is one of the last event's day. The log is folded from its
            beginning. Works while an engine is writing the store.
            """,
        options: [.at, .store, .server, .tokenFile, .output],
        examples: ["stepwell state --at 02:00:31", "stepwell state --at 412 -o json"])

    private let site: Site
    private let format: OutputFormat
    private let at: String?

    init(_ arguments: Arguments) throws {
        site = try Site(arguments)
        format = try OutputFormat(arguments)
        _ = try arguments.moment()
        at = arguments[.at]
    }

    func run() async throws -> ExitCode {
        try site.backend.show(.world(at: at), format)
        return .success
    }
}
