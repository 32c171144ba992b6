import Stepwell
import StepwellHistory
import StepwellModel

/// `stepwell cancel`
struct CancelCommand: Command {
    static let help = CommandHelp(
        name: "cancel", summary: "End a task: nothing more of it runs.", operands: "TASK", operandCount: 1...1,
        details:
            "Steps that are complete keep their results in the log. A server that has the store is asked to do it; no other engine may be running on it.",
        options: [.reason, .dryRun, .store, .server, .tokenFile, .output],
        examples: ["stepwell cancel 0197c3e2 --reason 'wrong input'"])

    private let change: TaskChange

    init(_ arguments: Arguments) throws { change = try TaskChange(arguments) }

    func run() async throws -> ExitCode {
        try await change.run {
            .cancel(reason: $0)
        } news: {
            "task \($0.short) would be cancelled"
        }
    }
}

/// `stepwell resolve`
struct ResolveCommand: Command {
    private static let result = Option(
        name: "--result", value: "JSON|@FILE", help: "the result that dependent steps get")

    static let help = CommandHelp(
        name: "resolve", summary: "Settle a step by hand, so that the steps after it can run.",
        operands: "TASK STEP", operandCount: 2...2,
        details: """
            For work that was done outside, or that the rest can do without. The step becomes resolved_manually; the task goes
            on with 'stepwell resume'. A server that has the store is asked to do it; no other engine may be running on it.
            """,
        options: [result, .reason, .dryRun, .store, .server, .tokenFile, .output],
        examples: ["stepwell resolve 0197c3e2 extract_inventory_data --result @inventory.json --reason 'sent by mail'"])

    private let site: Site
    private let format: OutputFormat
    private let task: String
    private let step: String
    private let result: JSONText?
    private let reason: String?
    private let isDryRun: Bool

    init(_ arguments: Arguments) throws {
        site = try Site(arguments)
        format = try OutputFormat(arguments)
        task = arguments.operands[0]
        step = arguments.operands[1]
        reason = arguments[.reason]
        isDryRun = arguments.has(.dryRun)
        result = try arguments[Self.result].map { word in
            let bytes = word.hasPrefix("@") ? try Files.read(String(word.dropFirst())) : Array(word.utf8)
            do throws(JSONError) { return try JSONText(bytes) } catch { throw UsageError("'--result' is \(error)") }
        }
    }

    func run() async throws -> ExitCode {
        let wish = Wish.resolve(step: step, result: result, reason: reason)
        return try await wish.run(
            on: task, at: site, isDryRun: isDryRun, format
        ) { _ in "step '\(step)' would be resolved by hand" }
    }
}
