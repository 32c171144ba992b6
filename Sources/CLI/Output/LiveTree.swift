import Glibc
import StepwellEngine
import StepwellHistory
import StepwellModel

/// A task's steps as a tree that is drawn again in place as they move.
struct LiveTree: ProgressView {
    private struct Step {
        var state = StepState.pending
        var attempt = 0
        var attemptsMax = 1
        var started: Timestamp?
        var ended: Timestamp?
        var note = ""
    }

    private var report: TaskReport?
    private var tree: TaskTree?
    private var steps: [Step] = []
    private var drawnLines = 0
    private var isStale = false
    private let clock = SystemClock()

    mutating func take(_ item: Progress.Item) {
        switch item {
        case .task(let report):
            // Of several tasks the first is drawn; the others are told of in lines.
            guard self.report == nil else { return }
            begin(report)
        case .records(let records):
            for record in records where record.task == report?.id { apply(record) }
        case .progress(let task, let step, let text):
            if task == report?.id { steps[step].note = text.description.cut(to: 40) }
            isStale = true
        case .notice(let text):
            erase()
            note(text)
            draw()
        case .tick:
            if isStale || steps.contains(where: { $0.state == .inProgress || $0.state == .waitingForRetry }) { draw() }
        }
    }

    mutating func end() {
        erase()
    }

    private mutating func begin(_ report: TaskReport) {
        self.report = report
        tree = TaskTree(report.template)
        steps = report.steps.map { step in
            Step(
                state: step.state, attempt: step.attempts, attemptsMax: step.attemptsMax, started: step.started,
                ended: step.completed)
        }
        isStale = true
    }

    private mutating func apply(_ record: EventRecord) {
        isStale = true
        switch record.event {
        case .stepEnqueued(let step): steps[step].state = .enqueued
        case .attemptStarted(let start):
            steps[start.step].state = .inProgress
            steps[start.step].attempt = start.attempt
            steps[start.step].started = steps[start.step].started ?? record.time
            steps[start.step].ended = nil
            steps[start.step].note = ""
        case .attemptFailed(let attempt, let failure): steps[attempt.step].note = failure.message.cut(to: 60)
        case .attemptTimedOut(let attempt): steps[attempt.step].note = "timed out"
        case .attemptLost(let attempt, let reason): steps[attempt.step].note = "lost: \(reason.name)"
        case .retryScheduled(let step, let due):
            steps[step].state = .waitingForRetry
            steps[step].note = "next attempt at \(due.timeOfDay): \(steps[step].note)"
        case .stepCompleted(let step), .stepAdopted(let step): finish(step, .complete, record.time)
        case .stepFailed(let step, _): finish(step, .error, record.time)
        case .stepResolved(let step): finish(step, .resolvedManually, record.time)
        case .stepReset(let step): steps[step].state = .pending
        case .taskCancelled:
            for step in steps.indices where steps[step].ended == nil { steps[step].state = .cancelled }
        default: break
        }
    }

    private mutating func finish(_ step: Int, _ state: StepState, _ time: Timestamp) {
        steps[step].state = state
        steps[step].ended = time
        if state == .complete { steps[step].note = "" }
    }

    // MARK: Drawing

    private mutating func erase() {
        guard drawnLines > 0 else { return }
        Terminal.write("\u{1B}[\(drawnLines)A\u{1B}[J", to: STDERR_FILENO)
        drawnLines = 0
    }

    private mutating func draw() {
        guard let report, let tree else { return }
        isStale = false
        let width = Terminal.width
        let shown = shownLines(tree)
        let nameWidth = min(60, shown.map { $0.branch.count + report.steps[$0.step].name.count }.max() ?? 0)
        let done = steps.count { $0.state.satisfiesDependents }
        var lines = ["\(report.submission.name) \(report.id.short)  \(done)/\(steps.count) steps done".cut(to: width)]
        for line in shown {
            let step = steps[line.step]
            let name = (line.branch + report.steps[line.step].name).cut(to: nameWidth).padded(to: nameWidth)
            let rest = "  \(step.state.name.padded(to: 17)) \(facts(step))"
            let symbol = step.state.symbol.colored(step.state.color, if: true)
            lines.append("  \(symbol) " + (name + rest).cut(to: width - 5))
        }
        if shown.count < steps.count { lines.append("  … \(steps.count - shown.count) more") }
        let text = lines.joined(separator: "\n") + "\n"
        let back = drawnLines > 0 ? "\u{1B}[\(drawnLines)A\u{1B}[J" : ""
        Terminal.write(back + text, to: STDERR_FILENO)
        drawnLines = lines.count
    }

    /// All steps when they fit, else those that move or have failed.
    private func shownLines(_ tree: TaskTree) -> [TaskTree.Line] {
        let room = 24
        guard tree.lines.count > room else { return tree.lines }
        let moving = tree.lines.filter { line in
            switch steps[line.step].state {
            case .inProgress, .waitingForRetry, .error: true
            default: false
            }
        }
        return Array(moving.prefix(room)).map { TaskTree.Line(step: $0.step, branch: "") }
    }

    private func facts(_ step: Step) -> String {
        var facts: [String] = []
        if step.attempt > 1 || step.state == .waitingForRetry {
            facts.append("attempt \(step.attempt) of \(step.attemptsMax)")
        }
        // The clock may be behind the log.
        if let started = step.started { facts.append("\(max(.zero, (step.ended ?? clock.now()) - started))") }
        if !step.note.isEmpty { facts.append(step.note) }
        return facts.joined(separator: ", ")
    }
}
