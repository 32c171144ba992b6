import Stepwell
import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell resume`
struct ResumeCommand: Command {
    static let help = CommandHelp(
        name: "resume", summary: "Go on with open tasks where they were, and drive them to their end.",
        operands: "[TASK]", operandCount: 0...1,
        details:
            "Without TASK all open tasks of the store go on. A blocked task needs 'stepwell retry' first, a paused one\n'stepwell unpause'.",
        options: [.reason, .dryRun] + Drive.options,
        examples: ["stepwell resume --worker 'python3 -m stepwell worker handlers.py'"])

    static let handlesSignals = true

    private let drive: Drive
    private let task: String?
    private let reason: String?
    private let isDryRun: Bool

    init(_ arguments: Arguments) throws {
        drive = try Drive(arguments)
        task = arguments.operands.first
        reason = arguments[.reason]
        isDryRun = arguments.has(.dryRun)
    }

    func run() async throws -> ExitCode {
        // Read first: a store that is not there must not be made, nor a task be looked for in vain with workers running.
        let wanted = try drive.store.ask { reader in
            let wanted = try task.map { try reader.findTask($0) }
            if isDryRun {
                for task in try wanted.map({ [$0] }) ?? reader.openTasks().map(\.id) {
                    try DryRun.of(nil, task: task, in: reader)
                        .print("task \(task.short) would go on", task: task, drive.format)
                }
            }
            return wanted
        }
        if isDryRun { return .success }
        return try await drive.run(
            reason: reason, focus: { _ in wanted },
            templates: { engine in
                try engine.runnableTasks(wanted).compactMap { try engine.store.template($0.template) }
            },
            begin: { engine, progress in
                let tasks = try wanted.map { [$0] } ?? engine.runnableTasks(nil).map(\.id)
                if tasks.isEmpty { progress.notice("no task is open") }
                return tasks.map { engine.task($0) }
            })
    }
}

extension Engine {
    /// Open tasks that an engine can take further, or the wanted one if it is open.
    func runnableTasks(_ wanted: TaskID?) throws -> [TaskSummary] {
        try store.openTasks().filter { task in
            wanted.map { task.id == $0 } ?? (task.state != .blockedByFailures && task.state != .paused)
        }
    }
}
