import Stepwell
import StepwellEngine
import StepwellHistory
import StepwellModel
import StepwellTemplates

/// `stepwell fork`
struct ForkCommand: Command {
    private static let from = Option(name: "--from", value: "STEP", help: "run this step and all that depend on it")
    private static let setInput = Option(
        name: "--set-input", value: "NAME=JSON",
        help: "set a member of the input; text that is not JSON is a string; may be given several times",
        isRepeatable: true)
    private static let setResult = Option(
        name: "--set-result", value: "STEP=JSON|@FILE",
        help: "adopt this instead of the recorded result; may be given several times", isRepeatable: true)
    private static let template = Option(
        name: "--template", value: "NEW.yaml", help: "run another text of the template; steps are found by their names")

    static let help = CommandHelp(
        name: "fork", summary: "Begin a new task in the middle of an old one, with its results up to there.",
        operands: "TASK", operandCount: 1...1,
        details: """
            The new task adopts the results of all complete steps that do not depend on STEP, then runs the rest. The old task is
            not touched. Adopted results come from the old input: what --set-input changes is seen by the steps that run.
            """,
        options: [from, setInput, setResult, template, .environment, .reason, .dryRun] + Drive.options,
        examples: [
            "stepwell fork 0197c3e2 --from aggregate_metrics --set-input region=eu --worker 'python3 -m stepwell worker handlers.py'",
            "stepwell fork 0197c3e2 --from load --template fixed.yaml --dry-run",
        ])

    static let handlesSignals = true

    private let drive: Drive
    private let task: String
    private let from: String
    private let inputChanges: [JSON.Member]
    private let given: [String: JSONText]
    private let templatePath: String?
    private let environment: String?
    private let isDryRun: Bool
    private let submit: SubmitOptions

    init(_ arguments: Arguments) throws {
        drive = try Drive(arguments, command: "fork")
        task = arguments.operands[0]
        guard let from = arguments[Self.from] else {
            throw UsageError("'fork' needs '--from STEP': the step to run again", command: "fork")
        }
        self.from = from
        inputChanges = try arguments.all(Self.setInput).map { word throws(UsageError) in
            let (name, value) = try Self.pair(word, "--set-input")
            return .init(name, (try? JSONText(value).json) ?? .string(value))
        }
        given = try arguments.all(Self.setResult).reduce(into: [:]) { results, word in
            let (step, value) = try Self.pair(word, "--set-result")
            let bytes = value.hasPrefix("@") ? try Files.read(String(value.dropFirst())) : Array(value.utf8)
            do throws(JSONError) {
                results[step] = try JSONText(bytes)
            } catch { throw UsageError("the result for '\(step)' is \(error)", command: "fork") }
        }
        templatePath = arguments[Self.template]
        environment = arguments[.environment]
        isDryRun = arguments.has(.dryRun)
        submit = SubmitOptions(
            key: nil, replacing: false, initiator: Operator.name, sourceSystem: "command line",
            reason: arguments[.reason], actor: Operator.actor())
    }

    private static func pair(_ word: String, _ option: String) throws(UsageError) -> (String, String) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw UsageError("'\(option)' takes NAME=VALUE, not '\(word)'", command: "fork")
        }
        return (parts[0], parts[1])
    }

    func run() async throws -> ExitCode {
        let template = try templatePath.map { try TemplateLoader.load(path: $0, environment: environment) }
        switch drive.site {
        case .server(let connection): return try await run(template, on: ServerBackend(connection: connection))
        case .store(let store): return try await run(template, in: store)
        }
    }

    private func run(_ template: Template?, in store: StoreLocation) async throws -> ExitCode {
        let plan = try store.ask { reader in
            try ForkPlan.make(
                of: reader.findTask(task), in: reader, from: from, template: template, inputChanges: inputChanges,
                given: given)
        }
        let id = plan.origin
        try Engine.check(plan.template, input: plan.input)
        let fresh = TaskID(
            time: SystemClock().now(), random: (.random(in: .min ... .max), .random(in: .min ... .max)))
        var submit = submit
        submit.id = fresh
        if isDryRun {
            tell(plan.warnings)
            try print(DryRun.submitting(plan.command(fresh, submit), fresh), id, plan.inputChanges)
            return .success
        }
        return try await RunningServer.write(
            to: store, by: { try await run(template, on: $0) },
            alone: { [submit] in
                tell(plan.warnings)
                return try await drive.run(
                    on: store, focus: { _ in fresh },
                    templates: { _ in [plan.template] },
                    begin: { engine, progress in
                        progress.notice(news(fresh, id, plan.inputChanges))
                        return [try await engine.fork(plan, submit)]
                    })
            })
    }

    /// Has a server run the fork.
    private func run(_ template: Template?, on server: ServerBackend) async throws -> ExitCode {
        let id = try server.findTask(task)
        if let template, let templatePath, !isDryRun {
            try server.makeKnown(template, text: try Files.read(templatePath), environment: environment)
        }
        let path = ["tasks", id.description, "fork"]
        let body = body(template)
        let plan = try server.connection.post(path, body, [("dry_run", "true")])
        let changes = (plan["input"]?.array ?? []).map { JSONChange($0) }
        tell(plan["warnings"]?.array?.compactMap(\.string) ?? [])
        if isDryRun {
            print(DryRun(plan), id, changes)
            return .success
        }
        let head = try server.head()
        guard
            let fresh = try server.connection.post(path, body)["task_id"]?.string.flatMap({ TaskID($0) })
        else { throw ServerError.notStepwell(server.connection.address, reason: "it tells no id of the fork") }
        note(news(fresh, id, changes))
        return try await drive.follow([fresh], after: head, on: server)
    }

    /// The fork as a server is asked for it.
    private func body(_ template: Template?) -> JSONText {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("from", from)
        writer.reason(submit.reason)
        if !inputChanges.isEmpty { writer.member("input", .object(inputChanges)) }
        if !given.isEmpty {
            writer.name("results")
            writer.beginObject()
            for (step, result) in given.sorted(by: { $0.key < $1.key }) { writer.member(step, result) }
            writer.endObject()
        }
        if let template { writer.member("version", template.version) }
        writer.endObject()
        return JSONText(trusted: writer.bytes)
    }

    private func tell(_ warnings: [String]) {
        for warning in warnings { note("warning: \(warning)") }
    }

    private func news(_ fresh: TaskID, _ id: TaskID, _ changes: [JSONChange]) -> String {
        (["task \(fresh.short) is a fork of \(id.short), from '\(from)'"]
            + changes.map { "  input: \($0.text.printable)" }).joined(separator: "\n")
    }

    private func print(_ run: DryRun, _ id: TaskID, _ changes: [JSONChange]) {
        run.print("task \(id.short) would be forked from '\(from)'", task: nil, drive.format, input: changes)
    }
}
