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
        drive = try Drive(arguments)
        task = arguments.operands[0]
        steps = arguments.all(Self.step)
        reason = arguments[.reason]
        isDryRun = arguments.has(.dryRun)
    }

    func run() async throws -> ExitCode {
        let id = try drive.store.ask { reader in
            let id = try reader.findTask(task)
            if isDryRun {
                let indexes = try reader.stepIndexes(of: steps, in: id)
                try DryRun.of(.retryTask(id, steps: indexes, reason: reason), task: id, in: reader)
                    .print("task \(id.short) would be retried", task: id, drive.format)
            }
            return id
        }
        if isDryRun { return .success }
        if let server = RunningServer(drive.store) {
            var body = JSON.reason(reason).members ?? []
            if !steps.isEmpty { body.append(.init("steps", .array(steps.map(JSON.string)))) }
            try server.post(["tasks", id.description, "retry"], .object(body))
            return try drive.wait(for: id, on: server)
        }
        return try await drive.run(
            focus: { _ in id },
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
    }
}
