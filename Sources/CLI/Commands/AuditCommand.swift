import StepwellLog
import StepwellModel

/// `stepwell audit`
struct AuditCommand: Command {
    static let help = CommandHelp(
        name: "audit", summary: "Print the hash of the log's end, to be noted down where nobody can change it.",
        operands: "head", operandCount: 1...1,
        details: """
            The hash binds every event up to here: 'stepwell verify --against HASH' tells later whether the log still holds just
            these. Keep it apart from the store: in a ticket, a mail, a notebook.
            """,
        options: [.store, .output], examples: ["stepwell audit head", "stepwell audit head -o json"])

    private let store: StoreLocation
    private let format: OutputFormat

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
        format = try OutputFormat(arguments)
        guard arguments.operands == ["head"] else {
            throw UsageError("'audit' knows 'head', not '\(arguments.operands[0])'", command: "audit")
        }
    }

    func run() async throws -> ExitCode {
        let head = try store.reader().currentHead()
        let hash = hexadecimal(head.hash)
        guard format == .table else {
            output(
                JSONText([
                    "seq": .number("\(head.number.rawValue)"), "time": .string(head.time.description),
                    "hash": .string(hash),
                ]).description)
            return .success
        }
        output("event \(head.number)  \(head.time)  \(hash)")
        return .success
    }
}
