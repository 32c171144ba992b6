import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell verify`
struct VerifyCommand: Command {
    private static let from = Option(
        name: "--from", value: "SEQ", help: "follow the hash chain from this event on; all else is checked as ever")
    private static let against = Option(
        name: "--against", value: "HASH",
        help: "a hash that 'stepwell audit head' gave earlier: some commit must have it")

    private static let salvage = Option(
        name: "--salvage", value: "DIR",
        help: "make a new store of the sound beginning of a damaged log, with indexes built anew")

    static let help = CommandHelp(
        name: "verify", summary: "Check the whole log: every byte, the hash chain, every decision, every index.",
        details: """
            Reads every event, checks its checksum and the hash chain, asks the scheduler again at every fact and compares its
            answer with what is recorded, and holds summaries, indexes and snapshots against the events. Works while an engine
            is writing the store; then it checks what was there when it began. Ends with 9 at the first thing that is wrong, and
            names its event.
            """,
        options: [from, against, salvage, .store, .output],
        examples: [
            "stepwell verify", "stepwell verify --against 6f1c9ab2…", "stepwell verify --salvage mended",
        ])

    private let store: StoreLocation
    private let format: OutputFormat
    private let from: SequenceNumber
    private let against: [UInt8]?
    private let salvage: String?

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
        format = try OutputFormat(arguments)
        from = SequenceNumber(UInt64(try arguments.integer(Self.from, in: 1...Int.max) ?? 1))
        salvage = arguments[Self.salvage]
        if salvage != nil, arguments.has(Self.from) || arguments.has(Self.against) {
            throw UsageError("'--salvage' goes with neither '--from' nor '--against'", command: "verify")
        }
        against = try arguments.hash(Self.against, for: "verify")
    }

    func run() async throws -> ExitCode {
        let reader = try store.reader()
        if let salvage { return try await make(salvage, from: reader) }
        let last = try reader.currentHead().number
        let status = StatusLine()
        do {
            // LMDB trusts its pages, so they come first.
            try reader.checkPages()
            let report = try Verification.run(reader, from: from, against: against) { report in
                status.show("verified \(report.events) of \(last) events")
            }
            status.end()
            output(format == .table ? report.text : JSONText(report.json).description)
            return .success
        } catch let error as any StepwellError {
            status.end()
            if format != .table { output(JSONText(Self.json(error)).description) }
            throw error
        }
    }

    /// A new store of all that comes before the first fault.
    private func make(_ directory: String, from reader: LMDBReader) async throws -> ExitCode {
        let target = try NewStore(at: directory)
        let (report, fault) = try Verification.soundPrefix(reader)
        let size = (try? reader.fileUsage().bytes) ?? 0
        let head = try await withProgress("salvage", total: size, done: { target.bytesWritten }) {
            try StoreCopy.build(target, from: reader, through: report.last, cutsLogLines: false, isSalvage: true)
        }
        if let fault { note("first fault: \(fault.message)") }
        switch format {
        case .table:
            output("\(directory): \(head.line)")
            output(
                fault == nil
                    ? "all events are sound; what is derived from them was built anew"
                    : "what comes after \(head.number) was left behind; the damaged store was not changed")
        case .json, .jsonl:
            let members: [JSON.Member] = [
                .init("path", .string(directory)),
                .init("first_bad_seq", fault?.firstBadEvent.map { .number("\($0.rawValue)") } ?? .null),
                .init("fault", fault.map { .string($0.message) } ?? .null),
            ]
            format.print(.object(members + head.json))
        }
        return .success
    }

    private static func json(_ error: any StepwellError) -> JSON {
        var members: [JSON.Member] = [.init("ok", .bool(false))]
        if let number = error.firstBadEvent { members.append(.init("first_bad_seq", .number("\(number.rawValue)"))) }
        members += [.init("code", .string(error.code)), .init("message", .string(error.message))]
        return .object(members)
    }
}

extension VerificationReport {
    fileprivate var text: String {
        var lines = [
            "verified: \(counted(events, "event")) in \(counted(commits, "commit")), "
                + "\(counted(tasks, "task")) (\(tasksOpen) open)",
            "head: event \(last), \(time), hash \(hash)",
        ]
        if absent > 0 {
            lines.append(
                isImported
                    ? "\(absent) events of the log were not imported, as is normal; decisions, which hang on them too, were not "
                        + "asked for again"
                    : "\(absent) events have left the store: pruned; decisions were not asked for again")
        }
        if unproven > 0 {
            lines.append("\(counted(unproven, "old commit")) that lack events could not be checked against their hash")
        }
        if let notedAt {
            lines.append("the noted hash is that of the commit that ends with event \(notedAt.last), \(notedAt.time)")
        }
        return lines.joined(separator: "\n")
    }

    fileprivate var json: JSON {
        var members: [JSON.Member] = [
            .init("ok", .bool(true)), .init("events", .number("\(events)")), .init("commits", .number("\(commits)")),
            .init("tasks", .number("\(tasks)")), .init("tasks_open", .number("\(tasksOpen)")),
            .init("head_seq", .number("\(last.rawValue)")), .init("head_time", .string(time.description)),
            .init("head_hash", .string(hash)), .init("absent", .number("\(absent)")),
            .init("unproven_commits", .number("\(unproven)")),
        ]
        if let notedAt { members.append(.init("noted_seq", .number("\(notedAt.last.rawValue)"))) }
        return .object(members)
    }
}

extension StepwellError {
    /// The event that an error of the log names.
    fileprivate var firstBadEvent: SequenceNumber? {
        switch self {
        case let error as LogError:
            switch error {
            case .corrupt(_, let number): number
            case .unknownEvent(_, let number): number
            default: nil
            }
        default: nil
        }
    }
}
