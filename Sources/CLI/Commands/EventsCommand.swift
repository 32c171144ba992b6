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
            Works while an engine is writing the store.
            """,
        options: [follow, after, .store, format],
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
    }

    private let store: StoreLocation
    private let format: Format
    private let task: String?
    private let follows: Bool
    private let after: SequenceNumber

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
        format = try Format(arguments)
        task = arguments.operands.first
        follows = arguments.has(Self.follow)
        after = SequenceNumber(UInt64(try arguments.integer(Self.after, in: 0...Int.max) ?? 0))
        if follows, format == .json {
            throw UsageError("'--follow' has no end, and '-o json' is one array; use -o jsonl")
        }
    }

    func run() async throws -> ExitCode {
        let reader = try store.reader()
        let id = try task.map { try reader.findTask($0) }
        let storeID = try reader.writerID()
        var facts = TaskFacts(reader: reader)
        if format == .json { output("[") }
        var last = after
        var count = 0
        func print(_ record: EventRecord) throws {
            let steps = try facts.steps(of: record.task)
            switch format {
            case .table: output(record.line(steps))
            case .jsonl: output(record.jsonLine(steps))
            case .cloudEvents:
                let correlationID = try facts.correlationID(of: record.task)
                let line = CloudEventJSON.line(record, storeID: storeID, correlationID: correlationID) { steps?[$0] }
                output(String(decoding: line, as: UTF8.self))
            case .json: output((count == 0 ? "  " : "  ,") + record.jsonLine(steps))
            }
            count += 1
            last = record.number
        }
        try read(reader, id, after: last, print)
        if format == .json { output("]") }
        while follows {
            // LMDB tells nobody of a commit, so the end of the log is looked at.
            try await Task.sleep(for: .milliseconds(100))
            if try reader.currentHead().number > last { try read(reader, id, after: last, print) }
        }
        return .success
    }

    private func read(
        _ reader: LMDBReader, _ task: TaskID?, after: SequenceNumber, _ print: (EventRecord) throws -> Void
    ) throws {
        if let task {
            try reader.events(of: task, after: after, payloads: .included, print)
        } else {
            try reader.events(after: after, payloads: .included) { record in
                try print(record)
                return true
            }
        }
    }
}
