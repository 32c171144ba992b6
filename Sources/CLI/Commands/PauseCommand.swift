import Stepwell
import StepwellHistory
import StepwellModel

/// `stepwell pause`
struct PauseCommand: Command {
    static let help = CommandHelp(
        name: "pause", summary: "Hold a task: nothing more of it starts until 'stepwell unpause'.", operands: "TASK",
        operandCount: 1...1,
        details: """
            Nothing is lost: retries that come due meanwhile wait. 'run' and 'resume' leave a paused task alone. A server that
            has the store is asked to do it; no other engine may be running on it.
            """,
        options: [.reason, .dryRun, .store, .output],
        examples: ["stepwell pause 0197c3e2 --reason 'the warehouse is being moved'"])

    private let change: TaskChange

    init(_ arguments: Arguments) throws { change = try TaskChange(arguments) }

    func run() async throws -> ExitCode {
        try await change.run(
            news: "be paused", verb: "pause", dry: { .pauseTask($0, reason: $1) },
            { try await $0.pause(reason: $1, by: Operator.actor()) })
    }
}

/// `stepwell unpause`
struct UnpauseCommand: Command {
    static let help = CommandHelp(
        name: "unpause", summary: "End the pause of a task; 'stepwell resume' then goes on with it.", operands: "TASK",
        operandCount: 1...1, details: "The task goes on where it was. A server that has the store is asked to do it.",
        options: [.reason, .dryRun, .store, .output],
        examples: ["stepwell unpause 0197c3e2", "stepwell unpause 0197c3e2 --reason 'the warehouse is back' -o json"])

    private let change: TaskChange

    init(_ arguments: Arguments) throws { change = try TaskChange(arguments) }

    func run() async throws -> ExitCode {
        try await change.run(
            news: "go on", verb: "resume", dry: { .resumeTask($0, reason: $1) },
            { try await $0.resume(reason: $1, by: Operator.actor()) })
    }
}

/// A change of one task by an engine that runs nothing: what `cancel`, `pause` and `unpause` have in common.
struct TaskChange: Sendable {
    private let store: StoreLocation
    private let format: OutputFormat
    private let task: String
    private let reason: String?
    private let isDryRun: Bool

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
        format = try OutputFormat(arguments)
        task = arguments.operands[0]
        reason = arguments[.reason]
        isDryRun = arguments.has(.dryRun)
    }

    /// - Parameters:
    ///   - news: what a dry run says that the task would do.
    ///   - verb: what a server that has the store is asked for.
    ///   - dry: the command that a dry run decides on.
    func run(
        news: String, verb: String, dry: (TaskID, String?) -> StepwellModel.Command,
        _ change: (TaskHandle, String?) async throws -> Void
    ) async throws -> ExitCode {
        let id = try store.ask { reader in
            let id = try reader.findTask(task)
            if isDryRun {
                try DryRun.of(dry(id, reason), task: id, in: reader)
                    .print("task \(id.short) would \(news)", task: id, format)
            }
            return id
        }
        if isDryRun { return .success }
        let report = try await store.change(id, [verb], .reason(reason)) { try await change($0, reason) }
        ReportPrinter(format: format).print(report)
        return .success
    }
}
