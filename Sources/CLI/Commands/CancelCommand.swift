import Stepwell
import StepwellHistory
import StepwellModel

/// `stepwell cancel`
struct CancelCommand: Command {
    static let help = CommandHelp(
        name: "cancel", summary: "End a task: nothing more of it runs.", operands: "TASK", operandCount: 1...1,
        details:
            "Steps that are complete keep their results in the log. A server that has the store is asked to do it; no other engine may be running on it.",
        options: [.reason, .dryRun, .store, .output], examples: ["stepwell cancel 0197c3e2 --reason 'wrong input'"])

    private let change: TaskChange

    init(_ arguments: Arguments) throws { change = try TaskChange(arguments) }

    func run() async throws -> ExitCode {
        try await change.run(
            news: "be cancelled", verb: "cancel", dry: { .cancelTask($0, reason: $1) },
            { try await $0.cancel(reason: $1, by: Operator.actor()) })
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
        options: [result, .reason, .dryRun, .store, .output],
        examples: ["stepwell resolve 0197c3e2 extract_inventory_data --result @inventory.json --reason 'sent by mail'"])

    private let store: StoreLocation
    private let format: OutputFormat
    private let task: String
    private let step: String
    private let result: JSONText?
    private let reason: String?
    private let isDryRun: Bool

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
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
        let id = try store.ask { reader in
            let id = try reader.findTask(task)
            if isDryRun {
                let index = try reader.stepIndexes(of: [step], in: id)[0]
                try DryRun.of(.resolveStep(id, index, result: result, reason: reason), task: id, in: reader)
                    .print("step '\(step)' would be resolved by hand", task: id, format)
            }
            return id
        }
        if isDryRun { return .success }
        var body = JSON.reason(reason).members ?? []
        if let result { body.append(.init("result", result.json)) }
        let report = try await store.change(id, ["steps", step, "resolve"], .object(body)) {
            try await $0.resolve(step, result: result, reason: reason, by: Operator.actor())
        }
        ReportPrinter(format: format).print(report)
        return .success
    }
}

extension StoreLocation {
    /// Opens the store for one change, without running anything.
    func change<Result: Sendable>(_ body: (Engine) async throws -> Result) async throws -> Result {
        var options = EngineOptions()
        options.isPassive = true
        let failure = Once<LogError>()
        options.observers.failure = { failure.fire($0) }
        let engine = try await Engine.open(path, options: options)
        do {
            let result = try await body(engine)
            await engine.stop(grace: .zero)
            if let error = failure.present { throw error }
            return result
        } catch {
            await engine.stop(grace: .zero)
            throw error
        }
    }
}
