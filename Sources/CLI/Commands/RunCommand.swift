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
        name: "run", summary: "Submit a task of a template and drive it to its end, in this process or by a server.",
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

    let drive: Drive
    let path: String
    let input: JSONText
    let environment: String?
    let submit: SubmitOptions
    let isDryRun: Bool

    init(_ arguments: Arguments) throws {
        drive = try Drive(arguments, command: "run")
        path = arguments.operands[0]
        environment = arguments[.environment]
        isDryRun = arguments.has(.dryRun)
        input = try arguments.readInput()
        if arguments.has(Self.new), arguments[Self.key] == nil { throw UsageError("'--new' goes with '--key'") }
        if let fault = arguments[Self.key].flatMap(Submission.fault) { throw Rejection.invalidKey(fault) }
        var submit = SubmitOptions(
            key: arguments[Self.key], replacing: arguments.has(Self.new),
            priority: try arguments.integer(Self.priority, in: -100...100),
            tags: arguments.all(Self.tag), initiator: Operator.name, sourceSystem: "command line",
            reason: arguments[.reason], actor: Operator.actor(.client))
        // Whoever runs this within a span has the task's spans below it.
        submit.traceparent = getenv("TRACEPARENT").flatMap {
            TraceContext(traceparent: String(cString: $0))?.traceparent
        }
        self.submit = submit
    }

    func run() async throws -> ExitCode {
        let template = try TemplateLoader.load(path: path, environment: environment)
        try Engine.check(template, input: input)
        let fresh = TaskID(
            time: SystemClock().now(), random: (.random(in: .min ... .max), .random(in: .min ... .max)))
        switch drive.site {
        case .server(let connection):
            return try await run(template, fresh, on: ServerBackend(connection: connection))
        case .store(let store): return try await run(template, fresh, in: store)
        }
    }

    private func run(_ template: Template, _ fresh: TaskID, in store: StoreLocation) async throws -> ExitCode {
        let known = Known(template: template, submit: submit)
        if let settled = try known.settled(in: store) {
            note(news(of: Existing(settled.summary), template))
            return drive.show([settled.report])
        }
        if isDryRun {
            try dryRun(template, known, fresh, in: store)
            return .success
        }
        let submit = self.submit
        return try await RunningServer.write(
            to: store, by: { try await run(template, fresh, on: $0) },
            alone: {
                try await drive.run(
                    on: store, focus: { try known.find($0)?.id ?? fresh },
                    templates: { engine in
                        guard let existing = try known.find(engine.store) else { return [template] }
                        return existing.state.isClosed
                            ? [] : try [engine.store.template(existing.template) ?? template]
                    },
                    begin: { engine, progress in
                        if let existing = try known.find(engine.store) {
                            progress.notice(news(of: Existing(existing), template))
                            return [engine.task(existing.id)]
                        }
                        var submit = submit
                        submit.id = fresh
                        return [try await engine.submit(template, input: input, submit)]
                    })
            })
    }

    private func dryRun(
        _ template: Template, _ known: Known, _ fresh: TaskID, in store: StoreLocation
    ) throws {
        if let reader = try? store.reader(), let existing = try known.find(reader) {
            return try DryRun.of(nil, task: existing.id, in: reader)
                .print(news(of: Existing(existing), template), task: existing.id, drive.format)
        }
        try dryRunOfNew(template, fresh)
    }

    func dryRunOfNew(_ template: Template, _ fresh: TaskID) throws {
        let submission = Submission(template, input, submit, fresh)
        let command = StepwellModel.Command.submitTask(fresh, submission, template, known: nil, replacing: true)
        try DryRun.submitting(command, fresh).print("a new task would be submitted", task: nil, drive.format)
    }

    /// A task that the key names already.
    struct Existing {
        var id: TaskID
        var key: String?
        var state: TaskState
        /// The digest of its template.
        var template: String?
    }

    /// What is to be said of a task that the key names already.
    func news(of existing: Existing, _ template: Template) -> String {
        let (key, id) = (existing.key ?? "", existing.id.short)
        let news =
            switch existing.state {
            case .complete, .resolvedManually, .cancelled, .error:
                "key '\(key)': task \(id) is \(existing.state.name) already; --new runs another"
            case .blockedByFailures: "key '\(key)': task \(id) is blocked; 'stepwell retry \(id)' takes it on"
            case .paused: "key '\(key)': task \(id) is paused; 'stepwell unpause \(id)' lets it go on"
            default: "key '\(key)': going on with task \(id)"
            }
        guard existing.template != template.digest.description else { return news }
        return news + "\nit was started with another text of the template, and keeps it; --new takes the present one"
    }
}

extension RunCommand.Existing {
    init(_ task: TaskSummary) {
        self.init(id: task.id, key: task.key, state: task.state, template: task.template.description)
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
