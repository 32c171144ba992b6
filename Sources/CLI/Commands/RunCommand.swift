import Glibc
import Stepwell
import StepwellEngine
import StepwellHistory
import StepwellLog
import StepwellModel
import StepwellTemplates

/// `stepwell run`
struct RunCommand: Command {
    private static let key = Option(
        name: "--key", value: "KEY",
        help: "the task's identity, such as the date: an unfinished task of that key goes on, a complete one is shown")
    private static let new = Option(name: "--new", help: "with --key: submit another task, which the key then names")
    private static let priority = Option(
        name: "--priority", value: "N", help: "-100 to 100; greater goes first (the template's)")
    private static let tag = Option(name: "--tag", value: "TEXT", help: "kept and shown", isRepeatable: true)

    static let help = CommandHelp(
        name: "run", summary: "Submit a task of a template and drive it to its end in this process.",
        operands: "TEMPLATE.yaml", operandCount: 1...1,
        details: """
            Every transition is on disk before anything follows from it. After a crash, or kill -9, the same command with the
            same --key goes on where the task was; what is complete does not run again. Fit for cron.
            """,
        options: [.input, key, new, priority, tag, .reason, .environment, .dryRun] + Drive.options,
        examples: [
            "stepwell run nightly.yaml --key $(date +%F) --worker 'python3 -m stepwell worker handlers.py'",
            "stepwell run nightly.yaml --input '{\"source\": \"production\"}' -o json",
        ])

    static let handlesSignals = true

    private let drive: Drive
    private let path: String
    private let input: JSONText
    private let environment: String?
    private let submit: SubmitOptions
    private let isDryRun: Bool

    init(_ arguments: Arguments) throws {
        drive = try Drive(arguments)
        path = arguments.operands[0]
        environment = arguments[.environment]
        isDryRun = arguments.has(.dryRun)
        input = try arguments.readInput()
        if arguments.has(Self.new), arguments[Self.key] == nil { throw UsageError("'--new' goes with '--key'") }
        if let fault = arguments[Self.key].flatMap(Submission.fault) { throw Rejection.invalidKey(fault) }
        submit = SubmitOptions(
            key: arguments[Self.key], replacing: arguments.has(Self.new),
            priority: try arguments.integer(Self.priority, in: -100...100),
            tags: arguments.all(Self.tag), initiator: Operator.name, sourceSystem: "command line",
            reason: arguments[.reason], actor: Operator.actor(.client))
    }

    func run() async throws -> ExitCode {
        let template = try TemplateLoader.load(path: path, environment: environment)
        try Engine.check(template, input: input)
        let known = Known(template: template, submit: submit)
        if let settled = try known.settled(in: drive.store) {
            note(news(of: settled.summary, template))
            return drive.show([settled.report])
        }
        let submit = self.submit
        let fresh = TaskID(
            time: SystemClock().now(), random: (.random(in: .min ... .max), .random(in: .min ... .max)))
        if isDryRun {
            try dryRun(template, known, fresh)
            return .success
        }
        if let server = RunningServer(drive.store) { return try run(template, on: server) }
        return try await drive.run(
            focus: { try known.find($0)?.id ?? fresh },
            templates: { engine in
                guard let existing = try known.find(engine.store) else { return [template] }
                return existing.state.isClosed ? [] : try [engine.store.template(existing.template) ?? template]
            },
            begin: { engine, progress in
                if let existing = try known.find(engine.store) {
                    progress.notice(news(of: existing, template))
                    return [engine.task(existing.id)]
                }
                var submit = submit
                submit.id = fresh
                return [try await engine.submit(template, input: input, submit)]
            })
    }

    /// Has the server that has the store run the task.
    private func run(_ template: Template, on server: RunningServer) throws -> ExitCode {
        try server.put(template: try Files.read(path), environment: environment)
        let answer = try server.post(["tasks"], submit.body(template, input))
        guard let id = answer["task_id"]?.string.flatMap({ TaskID($0) }) else {
            throw TaskNameError.unknown(submit.key ?? template.name)
        }
        note("task \(id.short) is run by the server that has the store")
        return try drive.wait(for: id, on: server)
    }

    private func dryRun(_ template: Template, _ known: Known, _ fresh: TaskID) throws {
        if let reader = try? drive.store.reader(), let existing = try known.find(reader) {
            return try DryRun.of(nil, task: existing.id, in: reader)
                .print(news(of: existing, template), task: existing.id, drive.format)
        }
        let submission = Submission(template, input, submit, fresh)
        let command = StepwellModel.Command.submitTask(fresh, submission, template, known: nil, replacing: true)
        try DryRun.submitting(command, fresh).print("a new task would be submitted", task: nil, drive.format)
    }

    /// What is to be said of a task that the key names already.
    private func news(of existing: TaskSummary, _ template: Template) -> String {
        let (key, id) = (existing.key ?? "", existing.id.short)
        let news =
            switch existing.state {
            case .complete, .resolvedManually, .cancelled, .error:
                "key '\(key)': task \(id) is \(existing.state.name) already; --new runs another"
            case .blockedByFailures: "key '\(key)': task \(id) is blocked; 'stepwell retry \(id)' takes it on"
            case .paused: "key '\(key)': task \(id) is paused; 'stepwell unpause \(id)' lets it go on"
            default: "key '\(key)': going on with task \(id)"
            }
        guard existing.template != template.digest else { return news }
        return news + "\nit was started with another text of the template, and keeps it; --new takes the present one"
    }
}

extension SubmitOptions {
    /// The submission as a server is asked for it.
    fileprivate func body(_ template: Template, _ input: JSONText) -> JSON {
        var members: [JSON.Member] = [
            .init("namespace", .string(template.namespace)), .init("name", .string(template.name)),
            .init("version", .string(template.version)), .init("context", input.json),
            .init("replace", .bool(replacing)),
            .init("tags", .array(tags.map(JSON.string))),
        ]
        if let priority { members.append(.init("priority", .number(String(priority)))) }
        for (name, text) in [
            ("idempotency_key", key), ("initiator", initiator), ("source_system", sourceSystem), ("reason", reason),
        ] {
            if let text { members.append(.init(name, .string(text))) }
        }
        return .object(members)
    }
}

/// The task of an earlier run that the key names, if it is to be taken up again.
private struct Known: Sendable {
    let template: Template
    let submit: SubmitOptions

    func find(_ log: any EventReader) throws -> TaskSummary? {
        guard let key = submit.key, !submit.replacing,
            let id = try log.task(namespace: template.namespace, name: template.name, key: key)
        else { return nil }
        return try log.task(id)
    }

    /// The task, if no engine can take it further: then it is shown without starting one.
    func settled(in store: StoreLocation) throws -> (summary: TaskSummary, report: TaskReport)? {
        // Whatever keeps the store from being read, its opening for the run will say better, or mend.
        guard submit.key != nil, let reader = try? store.reader(), let found = try find(reader),
            found.state.isClosed || found.state == .blockedByFailures || found.state == .paused
        else { return nil }
        return try TaskReport.read(found.id, from: reader).map { (found, $0) }
    }
}

/// Who types the command.
enum Operator {
    static var name: String {
        for variable in ["SUDO_USER", "USER", "LOGNAME"] {
            if let name = getenv(variable).map({ String(cString: $0) }), !name.isEmpty { return name }
        }
        return "uid \(getuid())"
    }

    static func actor(_ kind: Actor.Kind = .operator) -> Actor { Actor(kind, id: name) }
}
