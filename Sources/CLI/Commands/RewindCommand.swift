import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell rewind`
struct RewindCommand: Command {
    private static let to = Option(
        name: "--to", value: "SEQ|TIME", help: "the last event to keep, or a time such as 2026-11-24T02:00:31Z")

    static let help = CommandHelp(
        name: "rewind", summary: "Make a new store that is the log up to an event; the present one stays as it is.",
        operands: "DIR", operandCount: 1...1,
        details: """
            DIR must be empty or new. The new store has the same events with the same hashes, and an id of its own. Attempts that
            were running at that moment are lost at its next start, as after a crash.
            """,
        options: [to, .store, .output],
        examples: ["stepwell rewind --to 412 before", "stepwell rewind --to 2026-11-24T02:00:31Z before"])
    static let handlesSignals = true

    private let store: StoreLocation
    private let format: OutputFormat
    private let directory: String
    private let moment: MomentText

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
        format = try OutputFormat(arguments)
        directory = arguments.operands[0]
        guard let text = arguments[Self.to] else {
            throw UsageError("'rewind' needs --to with an event or a time", command: "rewind")
        }
        guard let moment = MomentText(text) else {
            throw UsageError("'--to' takes the number of an event or a time, not '\(text)'", command: "rewind")
        }
        self.moment = moment
    }

    func run() async throws -> ExitCode {
        let reader = try store.reader()
        let target = try NewStore(at: directory)
        target.abandonWhenInterrupted("the new store")
        let last = try lastEvent(reader)
        let file = try reader.fileUsage()
        let head = try await withProgress("rewind", total: file.bytes, done: { target.bytesWritten }) {
            try StoreCopy.build(target, from: reader, through: last, cutsLogLines: true)
        }
        let copy = try LMDBReader(path: directory)
        let open = try copy.openTasks().count
        switch format {
        case .table:
            output("\(directory): \(head.line)")
            output(counted(open, "task is open in it", "tasks are open in it"))
        case .json, .jsonl:
            let members: [JSON.Member] = [
                .init("path", .string(directory)), .init("store_id", .string(try copy.storeID())),
                .init("tasks_open", .number(String(open))),
            ]
            format.print(.object(members + head.json))
        }
        return .success
    }

    private func lastEvent(_ reader: LMDBReader) throws -> SequenceNumber {
        let head = try reader.currentHead()
        // A time of day is one of the day on which the log ends.
        switch moment.moment(first: head.time, last: head.time, now: .now) {
        case .event(let number):
            guard number <= head.number else {
                throw UsageError("there is no event \(number): the log ends with \(head.number)", command: "rewind")
            }
            return number
        case .time(let time):
            let last = try reader.lastEvent(notAfter: time)
            guard last > .zero else { throw UsageError("no event is as early as \(time)", command: "rewind") }
            return last
        case .end: return head.number
        }
    }
}
