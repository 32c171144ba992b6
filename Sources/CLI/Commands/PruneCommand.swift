import Glibc
import Stepwell
import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell prune`
struct PruneCommand: Command {
    private static let olderThan = Option(
        name: "--older-than", value: "TIME", help: "only tasks that ended so long ago, such as 90d, 12h or 30m")
    private static let archive = Option(
        name: "--archive", value: "FILE.zst", help: "write the tasks to this file first; 'stepwell import' reads it")
    private static let dryRun = Option(name: "--dry-run", help: "only say what would leave")

    static let help = CommandHelp(
        name: "prune", summary: "Let finished tasks leave the store.",
        details: """
            Their events, log lines and unused templates go; the hash chain stays verifiable, and the space is used again. It is
            recorded in the log. Open and blocked tasks always stay. Safe to interrupt and to run again.
            """,
        options: [olderThan, archive, dryRun, .reason, .store, .output],
        examples: [
            "stepwell prune --older-than 90d --dry-run",
            "stepwell prune --older-than 90d --archive \"$(date +%F).zst\" --reason 'kept for a quarter'",
        ])

    private let store: StoreLocation
    private let format: OutputFormat
    private let age: Milliseconds
    private let archive: String?
    private let isDryRun: Bool
    private let reason: String?

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
        format = try OutputFormat(arguments)
        guard let text = arguments[Self.olderThan] else {
            throw UsageError("'prune' needs --older-than with a time, such as 90d", command: "prune")
        }
        guard let age = Milliseconds(text) else {
            throw UsageError("'--older-than' takes a time such as 90d, 12h or 30m, not '\(text)'", command: "prune")
        }
        self.age = age
        archive = arguments[Self.archive]
        isDryRun = arguments.has(Self.dryRun)
        reason = arguments[.reason]
    }

    func run() async throws -> ExitCode {
        // Whether there is a store is asked as a reader asks it, which makes nothing.
        let isImported = try store.ask { try $0.origin()?.kind == .imported }
        if isImported { throw LogError.imported(path: store.path) }
        let before = Timestamp.now.advanced(by: Milliseconds(-age.rawValue))
        let report: Pruning.Report
        if isDryRun {
            report = try store.ask { try Pruning.preview($0, before: before) }
        } else {
            let pruning = Pruning(
                before: before, reason: reason, actor: Operator.actor(), version: stepwellVersion, now: { .now })
            let isShown = Terminal.stderrIsTerminal
            let progress = { (report: Pruning.Report, total: Int) in
                if isShown { Terminal.write("\rprune: \(report.tasks) of \(total) tasks ", to: 2) }
            }
            report = try await RunningServer.write(
                to: store,
                by: { server in
                    let file = try archive.map { try Archive($0) }
                    return try pruning.run(
                        store.reader(), archive: file.map { file in { try file.append($0) } }, progress: progress
                    ) { try server.prune($0, before: before, reason: reason) }
                },
                alone: {
                    let editor = try StoreEditor(path: store.path)
                    let file = try archive.map { try Archive($0) }
                    return try pruning.run(
                        editor, archive: file.map { file in { try file.append($0) } }, progress: progress)
                })
            if isShown { Terminal.write("\r\u{1B}[K", to: 2) }
        }
        switch format {
        case .table:
            let tasks = counted(report.tasks, "task", "tasks")
            output("\(isDryRun ? "would take" : "took") out \(tasks) with \(counted(report.events, "event", "events"))")
        case .json, .jsonl:
            format.print([
                "dry_run": .bool(isDryRun), "before": .string(before.description),
                "tasks": .number(String(report.tasks)), "events": .number(String(report.events)),
                "templates": .number(String(report.templates)), "archive": archive.map(JSON.string) ?? .null,
            ])
        }
        return .success
    }
}

extension ServerBackend {
    /// Lets tasks leave the server's store.
    /// - Returns: how many events have gone.
    fileprivate func prune(_ tasks: [TaskID], before: Timestamp, reason: String?) throws -> Int {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("before", before.description)
        writer.member("tasks", .array(tasks.map { .string($0.description) }))
        writer.reason(reason)
        writer.endObject()
        return Int(try connection.post(["prune"], JSONText(trusted: writer.bytes))["events"]?.int ?? 0)
    }
}

extension Timestamp {
    static var now: Timestamp {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Timestamp(milliseconds: Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000)
    }
}
