import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell events`
struct EventsCommand: Command {
    private static let follow = Option(name: "--follow", help: "go on with new events until interrupted")
    private static let format = Option(
        name: "-o", value: "FORMAT", help: "json, jsonl, table, or cloudevents: one event of CloudEvents 1.0 a line")
    private static let after = Option(name: "--after", value: "SEQ", help: "only events after this number")

    static let help = CommandHelp(
        name: "events", summary: "Print the event log: facts, and the decisions that followed from them.",
        operands: "[TASK]", operandCount: 0...1,
        details: """
            Without TASK the whole log is printed. A decision names its cause, the number of the fact that it follows from.
            Works while an engine is writing the store. A connection to a server that breaks is made again, and no event is lost.
            """,
        options: [follow, after, .store, .server, .tokenFile, format],
        examples: ["stepwell events 0197c3e2 -o jsonl", "stepwell events --follow --after 412 -o cloudevents"])

    /// What `-o` asks for here: one more than elsewhere.
    private enum Format: Equatable {
        case table, json, jsonl, cloudEvents

        init(_ arguments: Arguments) throws {
            guard arguments[.output] != "cloudevents" else {
                self = .cloudEvents
                return
            }
            switch try OutputFormat(arguments) {
            case .table: self = .table
            case .json: self = .json
            case .jsonl: self = .jsonl
            }
        }

        var form: EventForm {
            switch self {
            case .table: .text
            case .json, .jsonl: .json
            case .cloudEvents: .cloudevents
            }
        }
    }

    private let site: Site
    private let format: Format
    private let task: String?
    private let follows: Bool
    private let after: SequenceNumber

    init(_ arguments: Arguments) throws {
        site = try Site(arguments)
        format = try Format(arguments)
        task = arguments.operands.first
        follows = arguments.has(Self.follow)
        after = SequenceNumber(UInt64(try arguments.integer(Self.after, in: 0...Int.max) ?? 0))
        if follows, format == .json {
            throw UsageError("'--follow' has no end, and '-o json' is one array; use -o jsonl")
        }
    }

    func run() async throws -> ExitCode {
        if format == .json { output("[") }
        var count = 0
        try await site.backend.events(of: task, after: after, as: format.form, follows: follows) { line in
            output(format == .json ? (count == 0 ? "  " : "  ,") + line : line)
            count += 1
        }
        if format == .json { output("]") }
        return .success
    }
}
