import Glibc
import StepwellEngine
import StepwellHistory
import StepwellModel

/// A task's steps as a tree that is drawn again in place as they move. Of several tasks the first that is not settled is drawn.
struct LiveTree: ProgressView {
    private var tasks: [StepTree] = []
    private var places: [TaskID: Int] = [:]
    /// The task that was drawn last; those before it are settled.
    private var present = 0
    private var drawnLines = 0
    private var isStale = false
    private let clock = SystemClock()

    mutating func take(_ item: Progress.Item) {
        switch item {
        case .task(let task):
            places[task.id] = tasks.count
            tasks.append(StepTree(task))
            isStale = true
        case .records(let records):
            for record in records { if let move = StepMove(record) { take(move) } }
        case .told(let move): take(move)
        case .progress(let task, let step, let text):
            guard let place = places[task] else { return }
            tasks[place].take(progress: text, of: step)
            isStale = true
        case .notice(let text):
            erase()
            note(text)
            draw()
        case .tick:
            if isStale || tasks.indices.contains(present) && tasks[present].isMoving { draw() }
        }
    }

    mutating func end() {
        erase()
    }

    private mutating func take(_ move: StepMove) {
        guard let place = places[move.task] else { return }
        tasks[place].take(move)
        isStale = true
    }

    private mutating func erase() {
        guard drawnLines > 0 else { return }
        Terminal.write("\u{1B}[\(drawnLines)A\u{1B}[J", to: STDERR_FILENO)
        drawnLines = 0
    }

    private mutating func draw() {
        guard !tasks.isEmpty else { return }
        isStale = false
        present = tasks[present...].firstIndex { !$0.isSettled } ?? present
        let lines = tasks[present].lines(width: Terminal.width, now: clock.now())
        let text = lines.joined(separator: "\n") + "\n"
        let back = drawnLines > 0 ? "\u{1B}[\(drawnLines)A\u{1B}[J" : ""
        Terminal.write(back + text, to: STDERR_FILENO)
        drawnLines = lines.count
    }
}
