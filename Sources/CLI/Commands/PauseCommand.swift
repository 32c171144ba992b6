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
        options: [.reason, .dryRun, .store, .server, .tokenFile, .output],
        examples: ["stepwell pause 0197c3e2 --reason 'the warehouse is being moved'"])

    private let change: TaskChange

    init(_ arguments: Arguments) throws { change = try TaskChange(arguments) }

    func run() async throws -> ExitCode {
        try await change.run {
            .pause(reason: $0)
        } news: {
            "task \($0.short) would be paused"
        }
    }
}

/// `stepwell unpause`
struct UnpauseCommand: Command {
    static let help = CommandHelp(
        name: "unpause", summary: "End the pause of a task; 'stepwell resume' then goes on with it.", operands: "TASK",
        operandCount: 1...1, details: "The task goes on where it was. A server that has the store is asked to do it.",
        options: [.reason, .dryRun, .store, .server, .tokenFile, .output],
        examples: ["stepwell unpause 0197c3e2", "stepwell unpause 0197c3e2 --reason 'the warehouse is back' -o json"])

    private let change: TaskChange

    init(_ arguments: Arguments) throws { change = try TaskChange(arguments) }

    func run() async throws -> ExitCode {
        try await change.run {
            .unpause(reason: $0)
        } news: {
            "task \($0.short) would go on"
        }
    }
}

/// A change of one task that takes nothing but a reason: what `cancel`, `pause` and `unpause` have in common.
struct TaskChange: Sendable {
    private let site: Site
    private let format: OutputFormat
    private let task: String
    private let reason: String?
    private let isDryRun: Bool

    init(_ arguments: Arguments) throws {
        site = try Site(arguments)
        format = try OutputFormat(arguments)
        task = arguments.operands[0]
        reason = arguments[.reason]
        isDryRun = arguments.has(.dryRun)
    }

    /// - Parameter news: what a dry run says that would happen.
    func run(_ wish: (String?) -> Wish, news: (TaskID) -> String) async throws -> ExitCode {
        try await wish(reason).run(on: task, at: site, isDryRun: isDryRun, format, news: news)
    }
}

extension Wish {
    /// Does what is wished and shows the task after it, or only says what it would come to.
    func run(
        on word: String, at site: Site, isDryRun: Bool, _ format: OutputFormat, news: (TaskID) -> String
    ) async throws -> ExitCode {
        let backend = site.backend
        let id = try backend.findTask(word)
        if isDryRun {
            try backend.plan(self, for: id).print(news(id), task: id, format)
        } else {
            try await backend.perform(self, on: id)
            try backend.show(.report(task: id.description, details: false), format)
        }
        return .success
    }
}
