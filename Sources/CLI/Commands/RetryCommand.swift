import Stepwell
import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell retry`
struct RetryCommand: Command {
    private static let step = Option(
        name: "--step", value: "NAME", help: "only this failed step; may be given several times", isRepeatable: true)

    static let help = CommandHelp(
        name: "retry", summary: "Let the failed steps of a task begin again, and drive the task to its end.",
        operands: "TASK", operandCount: 1...1,
        details: """
            Failed steps get a fresh set of attempts. Steps that are complete keep their results and do not run again.
            """,
        options: [step, .reason, .dryRun] + Drive.options,
        examples: [
            "stepwell retry 0197c3e2 --reason 'the warehouse is back' --worker 'python3 -m stepwell worker handlers.py'"
        ])

    static let handlesSignals = true

    private let drive: Drive
    private let task: String
    private let steps: [String]
    private let reason: String?
    private let isDryRun: Bool

    init(_ arguments: Arguments) throws {
        drive = try Drive(arguments, command: "retry")
        task = arguments.operands[0]
        steps = arguments.all(Self.step)
        reason = arguments[.reason]
        isDryRun = arguments.has(.dryRun)
    }

    func run() async throws -> ExitCode {
        let backend = drive.site.backend
        let id = try backend.findTask(task)
        let wish = Wish.retry(steps: steps, reason: reason)
        if isDryRun {
            try backend.plan(wish, for: id).print("task \(id.short) would be retried", task: id, drive.format)
            return .success
        }
        return try await drive.site.write(
            by: { server in
                let head = try server.head()
                try await server.perform(wish, on: id)
                return try await drive.follow([id], after: head, on: server)
            },
            alone: { store in
                try await drive.run(
                    on: store, focus: { _ in id },
                    templates: { engine in
                        guard let summary = try engine.store.task(id), !summary.state.isClosed,
                            let template = try engine.store.template(summary.template)
                        else { return [] }
                        return [template]
                    },
                    begin: { engine, _ in
                        let handle = engine.task(id)
                        try await handle.retry(steps: steps, reason: reason, by: Operator.actor())
                        return [handle]
                    })
            })
    }
}
