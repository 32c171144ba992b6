import StepwellLog
import StepwellModel

/// `stepwell events`
struct EventsCommand: Command {
    private static let follow = Option(name: "--follow", help: "go on with new events until interrupted")
    private static let after = Option(name: "--after", value: "SEQ", help: "only events after this number")

    static let help = CommandHelp(
        name: "events", summary: "Print the event log: facts, and the decisions that followed from them.",
        operands: "[TASK]", operandCount: 0...1,
        details: """
            Without TASK the whole log is printed. A decision names its cause, the number of the fact that it follows from.
            Works while an engine is writing the store.
            """,
        options: [follow, after, .store, .output],
        examples: ["stepwell events 0197c3e2 -o jsonl", "stepwell events --follow --after 412"])

    private let store: StoreLocation
    private let format: OutputFormat
    private let task: String?
    private let follows: Bool
    private let after: SequenceNumber

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
        format = try OutputFormat(arguments)
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
        var names = StepNames(reader: reader)
        if format == .json { output("[") }
        var last = after
        var count = 0
        func print(_ record: EventRecord) throws {
            let steps = try names.steps(of: record.task)
            switch format {
            case .table: output(record.line(steps))
            case .jsonl: output(record.jsonLine(steps))
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

/// The step names of tasks, looked up once each template.
private struct StepNames {
    let reader: LMDBReader
    private var byTemplate: [TemplateDigest: [String]] = [:]
    private var templates: [TaskID: TemplateDigest] = [:]

    init(reader: LMDBReader) { self.reader = reader }

    mutating func steps(of task: TaskID?) throws -> [String]? {
        guard let task else { return nil }
        if let digest = templates[task] { return byTemplate[digest] }
        guard let digest = try reader.task(task)?.template else { return nil }
        // Bounded: a log of millions of tasks is read in order, and its tasks stand close together.
        if templates.count > 10_000 { templates.removeAll() }
        templates[task] = digest
        if byTemplate[digest] == nil { byTemplate[digest] = try reader.template(digest)?.steps.map(\.name) }
        return byTemplate[digest]
    }
}

extension EventRecord {
    fileprivate func jsonLine(_ steps: [String]?) -> String {
        String(decoding: EventJSON.line(self) { steps?[$0] }, as: UTF8.self)
    }
}
