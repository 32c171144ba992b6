import StepwellHistory
import StepwellLog
import StepwellModel
import StepwellTemplates

/// `stepwell test`
struct TestCommand: Command {
    private static let against = Option(
        name: "--against", value: "DIR",
        help:
            "the recorded runs: files of 'export' (*.stepwell) and 'prune --archive' (*.zst), stores, and folders of these"
    )
    private static let strict = Option(
        name: "--strict", help: "another way to the same end is a fault too, such as one attempt more")

    static let help = CommandHelp(
        name: "test", summary: "Go through recorded runs again: does a changed template, or version, do the same?",
        operands: "[TEMPLATE.yaml…]", operandCount: 0...1000,
        details: """
            Each recorded run is checked, and then lived through again in virtual time by the present scheduler: every attempt ends
            as it did then and takes as long, and operators do what they did. No handler runs. With templates, the runs of their
            namespaces and names are taken, each with the new template; without, all runs, each with the template that it had.

            ✓ alike: the same attempts, with the same ends. ~ changed: another way to the same end, such as a dependency more.
            ✗ different: a step or the task comes to another end, a result or the input no longer fits its schema. Ends with 1 if
            a run is different, and with 9 if a recording is damaged.
            """,
        options: [against, strict, .environment, .output],
        examples: [
            "stepwell export last > recorded/2026-11-23.stepwell", "stepwell test --against recorded nightly.yaml",
            "stepwell test --against recorded -o json",
        ])

    private let format: OutputFormat
    private let recordings: Recordings
    private let templates: [Template]
    private let isStrict: Bool

    init(_ arguments: Arguments) throws {
        guard let folder = arguments[Self.against] else {
            throw UsageError("'test' needs '--against DIR': the folder with the recorded runs", command: "test")
        }
        format = try OutputFormat(arguments)
        isStrict = arguments.has(Self.strict)
        templates = try arguments.operands.map {
            try TemplateLoader.load(path: $0, environment: arguments[.environment])
        }
        let names = templates.map { "\($0.namespace)/\($0.name)" }
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw UsageError("'\(twice)' is the name of two of the templates", command: "test")
        }
        if templates.isEmpty, arguments.has(.environment) {
            throw UsageError("'--environment' needs a template", command: "test")
        }
        recordings = try Recordings(folder)
        guard !recordings.sources.isEmpty else { throw NothingRecorded(folder: folder, names: []) }
        self.folder = folder
    }

    private let folder: String

    func run() async throws -> ExitCode {
        var tally = Tally()
        let names = templates.map { TaskFilter(namespace: $0.namespace, name: $0.name) }
        let status = StatusLine()
        for source in recordings.sources {
            do {
                try Recordings.read(source, of: names) { run in
                    guard let run else { return tally.leftOut += 1 }
                    let template = templates.first {
                        $0.namespace == run.story.template.namespace && $0.name == run.story.template.name
                    }
                    let report = RerunReport(run, with: template)
                    tally.add(report, format == .json ? source.path : nil)
                    status.end()
                    tell(report, source.path)
                    status.show("\(tally.count) runs")
                }
            } catch let error as any StepwellError {
                status.end()
                note("error: \(source.path): \(error)")
                tally.add(error, source.path)
            }
        }
        status.end()
        guard tally.count > 0 || tally.worst != .success else {
            throw NothingRecorded(folder: folder, names: templates.map { "\($0.namespace)/\($0.name)" })
        }
        switch format {
        case .table: output("\n\(tally.text)")
        case .json: output(tally.json.pretty)
        case .jsonl: break
        }
        if tally.worst != .success { return tally.worst }
        let faults = tally[.different] + (isStrict ? tally[.changed] : 0)
        return faults == 0 ? .success : .failure
    }

    private func tell(_ report: RerunReport, _ source: String) {
        switch format {
        case .table: for line in report.text(source: source) { output(line) }
        case .jsonl: output(JSONText(report.json(source: source)).description)
        case .json: break
        }
    }
}

/// What came of all runs.
private struct Tally {
    /// Only where they are printed in one piece.
    private var reports: [JSON] = []
    private var errors: [JSON] = []
    private var counts: [RerunReport.Verdict: Int] = [:]
    /// Runs of other templates.
    var leftOut = 0
    /// How the command ends because of what could not be read.
    private(set) var worst = ExitCode.success

    var count: Int { counts.values.reduce(0, +) }

    subscript(verdict: RerunReport.Verdict) -> Int { counts[verdict] ?? 0 }

    mutating func add(_ report: RerunReport, _ source: String?) {
        if let source { reports.append(report.json(source: source)) }
        counts[report.verdict, default: 0] += 1
    }

    mutating func add(_ error: any StepwellError, _ source: String) {
        errors.append([
            "source": .string(source), "code": .string(error.code), "message": .string(error.message),
        ])
        let code = ExitCode(error)
        if code.rawValue > worst.rawValue { worst = code }
    }

    var text: String {
        var parts = RerunReport.Verdict.allCases.map { "\(self[$0]) \($0.rawValue)" }
        if !errors.isEmpty { parts.append("\(errors.count) of the sources unreadable") }
        let others = leftOut == 0 ? "" : "; \(leftOut) of other templates left out"
        return "\(count) recorded run\(count == 1 ? "" : "s"): \(parts.joined(separator: ", "))\(others)"
    }

    var json: JSON {
        var members = RerunReport.Verdict.allCases.map { JSON.Member($0.rawValue, .number(String(self[$0]))) }
        members.append(JSON.Member("left_out", .number(String(leftOut))))
        return .object([.init("runs", .array(reports)), .init("errors", .array(errors))] + members)
    }
}

/// There is nothing to test against.
private struct NothingRecorded: StepwellError {
    let folder: String
    /// Of the templates; empty: there is no recording at all.
    let names: [String]

    var code: String { "nothing_recorded" }
    var message: String {
        names.isEmpty
            ? "there is no recorded run in '\(folder)'" : "there is no recorded run of \(names.listed) in '\(folder)'"
    }
    var cure: String? { "record one: 'stepwell export TASK > \(folder.shellWord)/NAME.stepwell'" }
}
