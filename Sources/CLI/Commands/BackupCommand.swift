import Glibc
import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell backup`
struct BackupCommand: Command {
    static let help = CommandHelp(
        name: "backup", summary: "Copy a store to another directory, also while an engine writes it.",
        operands: "DIR", operandCount: 1...1,
        details: """
            The copy holds all that is committed when it begins, without free pages. DIR must be empty or new; it has a whole
            copy or none at every moment. The number and the hash of its last event are printed: note them down.
            """,
        options: [.store, .output], examples: ["stepwell backup \"/mnt/backup/$(date +%F)\""])
    static let handlesSignals = true

    private let store: StoreLocation
    private let format: OutputFormat
    private let directory: String

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
        format = try OutputFormat(arguments)
        directory = arguments.operands[0]
    }

    func run() async throws -> ExitCode {
        let reader = try store.reader()
        let backup = try NewStore(at: directory)
        backup.abandonWhenInterrupted("the backup")
        let file = try reader.fileUsage()
        let head = try await withProgress(
            "backup", total: file.bytes - file.freeBytes, done: { backup.bytesWritten }
        ) { try backup.copy(reader) }
        let bytes = backup.bytes
        switch format {
        case .table: output("\(directory): \(byteCount(bytes)), \(head.line)")
        case .json, .jsonl:
            let members: [JSON.Member] = [
                .init("path", .string(directory)), .init("bytes", .number(String(bytes))),
            ]
            format.print(.object(members + head.json))
        }
        return .success
    }
}

/// `stepwell restore`
struct RestoreCommand: Command {
    private static let replace = Option(
        name: "--replace", help: "put the store that is there aside, under a name that is printed")
    private static let dryRun = Option(name: "--dry-run", help: "only check the backup and say what would be done")

    static let help = CommandHelp(
        name: "restore", summary: "Make a store from a backup.", operands: "BACKUP_DIR", operandCount: 1...1,
        details: """
            The backup is checked first, as 'stepwell verify' does. A store that is there is never
            overwritten. Work that was done after the backup is done again, so look at what the steps have changed outside.
            """,
        options: [replace, dryRun, .store, .output],
        examples: [
            "stepwell restore /mnt/backup/2026-11-24 --dry-run",
            "stepwell restore /mnt/backup/2026-11-24 --store .stepwell --replace",
        ])

    private let store: StoreLocation
    private let format: OutputFormat
    private let backup: String
    private let replaces: Bool
    private let isDryRun: Bool

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
        format = try OutputFormat(arguments)
        backup = arguments.operands[0]
        replaces = arguments.has(Self.replace)
        isDryRun = arguments.has(Self.dryRun)
    }

    func run() async throws -> ExitCode {
        let reader = try LMDBReader(path: backup)
        let restore = try StoreRestore(at: store.path, replaces: replaces)
        let report = try Verification.run(reader)
        var head = try reader.currentHead()
        var aside: String?
        if !isDryRun { (head, aside) = try restore.perform(from: reader) }
        switch format {
        case .table:
            output("\(isDryRun ? "would restore" : "restored") \(store.path): \(head.line)")
            let open = counted(report.tasksOpen, "task is open in it", "tasks are open in it")
            output(report.tasksOpen == 0 ? open : "\(open); 'stepwell resume' goes on with what was not complete")
            if let aside {
                output("the store that was there is now \(aside)")
                let left = ["tokens.json", "webhooks.json"].filter { access("\(aside)/\($0)", F_OK) == 0 }
                if !left.isEmpty { note("\(left.joined(separator: " and ")) stayed there: copy what is still to hold") }
            }
            if isDryRun, restore.putsAside { output("the store that is there would be put aside") }
        case .json, .jsonl:
            let members: [JSON.Member] = [
                .init("path", .string(store.path)), .init("dry_run", .bool(isDryRun)),
                .init("replaces", .bool(restore.putsAside)), .init("aside", aside.map(JSON.string) ?? .null),
                .init("tasks_open", .number(String(report.tasksOpen))),
            ]
            format.print(.object(members + head.json))
        }
        return .success
    }
}

extension OutputFormat {
    /// One JSON document, on one line or on many.
    func print(_ json: JSON) {
        output(self == .json ? json.pretty : JSONText(json).description)
    }
}
