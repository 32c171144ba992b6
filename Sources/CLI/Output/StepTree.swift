import StepwellHistory
import StepwellModel

/// A task's steps and where they are, event by event, as lines under each other.
struct StepTree {
    private struct Step {
        var name: String
        var state: StepState
        var attempt: Int
        var attemptsMax: Int
        var started: Timestamp?
        var ended: Timestamp?
        var note = ""

        mutating func take(_ change: StepMove.Change, at time: Timestamp) {
            switch change {
            case .enqueued: state = .enqueued
            case .started(let number):
                (state, attempt, note) = (.inProgress, number, "")
                (started, ended) = (started ?? time, nil)
            case .failed(let message): say(message, width: 60)
            case .waits(let due):
                state = .waitingForRetry
                note = "next attempt at \(due.timeOfDay): \(note)"
            case .ended(let end):
                (state, ended) = (end, time)
                if end == .complete { note = "" }
            case .reset: (state, attempt, ended) = (.pending, 0, nil)
            case .taskCancelled, .taskSettled, .taskGoesOn: break
            }
        }

        /// On one line whatever it holds, or the tree could not be drawn over.
        mutating func say(_ text: String, width: Int) { note = text.printable.cut(to: width) }
    }

    let id: TaskID
    /// Nothing of the task runs before somebody does something.
    private(set) var isSettled: Bool
    private let name: String
    private let tree: TaskTree
    private let known: SequenceNumber
    private var steps: [Step]

    init(_ task: WatchedTask) {
        id = task.id
        name = task.name
        isSettled = task.state.isSettled
        tree = TaskTree(dependencies: task.steps.map(\.dependencies))
        known = task.last
        steps = task.steps.map { step in
            Step(
                name: step.name, state: step.state, attempt: step.attempts, attemptsMax: step.attemptsMax,
                started: step.started, ended: step.completed)
        }
    }

    /// Whether time alone changes what is shown.
    var isMoving: Bool { steps.contains { $0.state == .inProgress || $0.state == .waitingForRetry } }

    // MARK: What happens

    mutating func take(_ move: StepMove) {
        guard move.number > known else { return }
        switch move.change {
        case .taskCancelled:
            for step in steps.indices where steps[step].ended == nil { steps[step].state = .cancelled }
            isSettled = true
        case .taskSettled: isSettled = true
        case .taskGoesOn: isSettled = false
        default:
            guard let step = move.step, steps.indices.contains(step) else { return }
            steps[step].take(move.change, at: move.time)
        }
    }

    /// What a handler tells of its progress.
    mutating func take(progress: JSONText, of step: StepIndex) { steps[step].say(progress.description, width: 40) }

    // MARK: Text

    /// The lines as they are to be drawn at a time.
    func lines(width: Int, now: Timestamp) -> [String] {
        let shown = shownLines
        let nameWidth = min(60, shown.map { $0.branch.count + steps[$0.step].name.count }.max() ?? 0)
        let done = steps.count { $0.state.satisfiesDependents }
        var lines = ["\(name) \(id.short)  \(done)/\(steps.count) steps done".cut(to: width)]
        for line in shown {
            let step = steps[line.step]
            let name = (line.branch + step.name).cut(to: nameWidth).padded(to: nameWidth)
            let rest = "  \(step.state.name.padded(to: 17)) \(facts(step, now))"
            let symbol = step.state.symbol.colored(step.state.color, if: true)
            lines.append("  \(symbol) " + (name + rest).cut(to: width - 5))
        }
        if shown.count < steps.count { lines.append("  … \(steps.count - shown.count) more") }
        return lines
    }

    /// All steps when they fit, else those that move or have failed.
    private var shownLines: [TaskTree.Line] {
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

    private func facts(_ step: Step, _ now: Timestamp) -> String {
        var facts: [String] = []
        if step.attempt > 1 || step.state == .waitingForRetry {
            facts.append("attempt \(step.attempt) of \(step.attemptsMax)")
        }
        // The clock may be behind the log.
        if let started = step.started { facts.append("\(max(.zero, (step.ended ?? now) - started))") }
        if !step.note.isEmpty { facts.append(step.note) }
        return facts.joined(separator: ", ")
    }
}
