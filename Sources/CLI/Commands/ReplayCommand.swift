import Glibc
import StepwellEngine
import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell replay`
struct ReplayCommand: Command {
    private static let stepByStep = Option(
        name: "--step-by-step",
        help: "walk from event to event: with the arrow keys on a terminal, else all are printed")

    static let help = CommandHelp(
        name: "replay", summary: "Show a task as it was at a moment, or walk through its events.",
        operands: "TASK", operandCount: 1...1,
        details: """
            The states of its steps, the attempts that ran, what was ready, what waited and why. A time of day is one of the day on
            which the task was submitted; -10m is ten minutes ago. Works while an engine is writing the store.
            """,
        options: [.at, stepByStep, .store, .output],
        examples: [
            "stepwell replay 0197c3e2 --at 412", "stepwell replay 0197c3e2 --at 02:00:31",
            "stepwell replay 0197c3e2 --step-by-step",
        ])

    /// The terminal must be given back.
    static let handlesSignals = true

    private let store: StoreLocation
    private let format: OutputFormat
    private let task: String
    private let at: MomentText?
    private let walks: Bool

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
        format = try OutputFormat(arguments)
        task = arguments.operands[0]
        at = try arguments.moment()
        walks = arguments.has(Self.stepByStep)
    }

    func run() async throws -> ExitCode {
        Signals.watch {
            RawTerminal.leave()
            _exit(ExitCode.interrupted.rawValue)
        }
        let reader = try store.reader()
        let id = try reader.findTask(task)
        guard let summary = try reader.task(id) else { throw TaskNameError.unknown(task) }
        let moment =
            at?.moment(first: summary.submitted, last: summary.changed, now: SystemClock().now()) ?? .end
        if walks { return try walk(reader, id, summary, moment) }
        guard var story = try TaskStory.read(id, from: reader, at: moment) else {
            throw NothingYet(task: id, submitted: summary.submitted, first: summary.first)
        }
        try story.report.addWaits(from: reader, at: moment)
        let view = try TaskMomentView(story, at: moment, reader)
        format.print(view.json, table: view.text)
        return .success
    }

    private func walk(
        _ reader: LMDBReader, _ id: TaskID, _ summary: TaskSummary, _ moment: Moment
    ) throws -> ExitCode {
        let isOnTerminal = format == .table && Terminal.stdoutIsTerminal && Terminal.stdinIsTerminal
        guard let walk = try TaskWalk.read(id, from: reader, at: isOnTerminal ? .end : moment) else {
            throw NothingYet(task: id, submitted: summary.submitted, first: summary.first)
        }
        guard isOnTerminal, Terminal.colorAllowed else {
            print(walk)
            return .success
        }
        let start = at == nil ? 0 : walk.frames.lastIndex { moment.includes($0.record) } ?? 0
        return try StepThrough(walk: walk, reader: reader).run(from: start)
    }

    private func print(_ walk: TaskWalk) {
        let names = walk.template.steps.map(\.name)
        if format == .json { return output(JSON.array(walk.frames.map { $0.json(names) }).pretty) }
        for frame in walk.frames {
            if format == .jsonl {
                output(JSONText(frame.json(names)).description)
            } else {
                output(frame.record.line(names))
                for change in frame.changeLines(names) { output("    \(change)") }
            }
        }
    }
}

/// A moment before a task was submitted.
private struct NothingYet: StepwellError {
    let task: TaskID
    let submitted: Timestamp
    let first: SequenceNumber

    var code: String { "before_submission" }
    var message: String { "at that moment there was no task \(task)" }
    var cure: String? { "it was submitted at \(submitted) with event \(first)" }
}
