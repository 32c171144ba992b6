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
            """
            Without TASK all open tasks of the store go on. A blocked task needs 'stepwell retry' first, a paused one
            'stepwell unpause'. A server runs its open tasks anyway: then their progress is shown until they are settled.
            """,
        options: [.reason, .dryRun] + Drive.options,
        examples: ["stepwell resume --worker 'python3 -m stepwell worker handlers.py'"])

    static let handlesSignals = true

    private let drive: Drive
    private let task: String?
    private let reason: String?
    private let isDryRun: Bool

    init(_ arguments: Arguments) throws {
        drive = try Drive(arguments, command: "resume")
        task = arguments.operands.first
        reason = arguments[.reason]
        isDryRun = arguments.has(.dryRun)
    }

    func run() async throws -> ExitCode {
        // Read first: a store that is not there must not be made, nor a task be looked for in vain with workers running.
        let backend = drive.site.backend
        let wanted = try task.map { try backend.findTask($0) }
        if isDryRun {
            for task in try wanted.map({ [$0] }) ?? backend.openTasks(isBlockedToo: true) {
                try backend.plan(nil, for: task).print("task \(task.short) would go on", task: task, drive.format)
            }
            return .success
        }
        if wanted == nil { _ = try backend.openTasks(isBlockedToo: false) }
        return try await drive.site.write(
            by: { server in
                let head = try server.head()
                let tasks = try wanted.map { [$0] } ?? server.openTasks(isBlockedToo: false)
                if tasks.isEmpty { note("no task is open") }
                return try await drive.follow(tasks, after: head, on: server)
            },
            alone: { store in
                try await drive.run(
                    on: store, reason: reason, focus: { _ in wanted },
                    templates: { engine in
                        try engine.runnableTasks(wanted).compactMap { try engine.store.template($0.template) }
                    },
                    begin: { engine, progress in
                        let tasks = try wanted.map { [$0] } ?? engine.runnableTasks(nil).map(\.id)
                        if tasks.isEmpty { progress.notice("no task is open") }
                        return tasks.map { engine.task($0) }
                    })
            })
    }
}

extension Backend {
    /// The tasks that are not closed, in the order of their ids.
    /// - Parameter isBlockedToo: also those that no engine can take further.
    fileprivate func openTasks(isBlockedToo: Bool) throws -> [TaskID] {
        let states = TaskState.allCases.filter { state in
            !state.isClosed && (isBlockedToo || (state != .blockedByFailures && state != .paused))
        }
        return try states.flatMap { state in
            try tasks(matching: TaskFilter(state: state), limit: .max)
                .compactMap { $0["task_id"]?.string.flatMap { TaskID($0) } }
        }.sorted()
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
