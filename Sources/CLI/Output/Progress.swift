import StepwellEngine
import StepwellHistory
import StepwellLog
import StepwellModel

/// Shows what happens while tasks run: on a terminal a live tree of one task's steps, else one line a transition. Always on
/// standard error, so that standard output holds the result alone.
final class Progress: Sendable {
    enum Item: Sendable {
        case records([EventRecord])
        /// Of a task that a server runs.
        case told(StepMove)
        case progress(TaskID, step: Int, JSONText)
        case notice(String)
        /// Which task the items are about, and its steps.
        case task(WatchedTask)
        case tick
    }

    /// Whether it is a tree, for which events are needed and not their lines.
    let isLive: Bool
    private let items: AsyncStream<Item>.Continuation
    private let printer: Task<Void, Never>
    private let ticker: Task<Void, Never>?

    init(isLive: Bool = Terminal.stderrIsTerminal && Terminal.colorAllowed) {
        self.isLive = isLive
        let (stream, continuation) = AsyncStream.makeStream(of: Item.self)
        items = continuation
        printer = Task.detached {
            var view: any ProgressView = isLive ? LiveTree() : LineView()
            var early = EarlyRecords()
            for await item in stream {
                for item in early.sorted(item) { view.take(item) }
            }
            view.end()
        }
        ticker =
            isLive
            ? Task.detached {
                while !Task.isCancelled {
                    try? await Task.sleep(for: .milliseconds(100))
                    continuation.yield(.tick)
                }
            } : nil
    }

    func show(_ item: Item) { items.yield(item) }
    func notice(_ text: String) { items.yield(.notice(text)) }

    /// Prints what is left and stops.
    func end() async {
        ticker?.cancel()
        items.finish()
        await printer.value
    }

    /// What the engine tells goes here.
    var observers: Observers {
        var observers = Observers()
        observers.events = { [self] in show(.records($0)) }
        observers.notice = { [self] in notice($0) }
        observers.heartbeat = { [self] assignment, progress in
            if let progress { show(.progress(assignment.task, step: assignment.attempt.step, progress)) }
        }
        observers.storage = { [self] error in
            notice(error.map { "\($0.message); \($0.cure ?? "")" } ?? "there is space on the disk again; going on")
        }
        observers.failure = { [self] in notice("the engine has stopped: \($0)") }
        return observers
    }
}

/// One way to show progress.
protocol ProgressView {
    mutating func take(_ item: Progress.Item)
    mutating func end()
}

/// Keeps what has happened to tasks that are not known yet: the engine is at work while they are still being looked up.
private struct EarlyRecords {
    private var known: Set<TaskID> = []
    private var records: [TaskID: [EventRecord]] = [:]

    /// The item, with what can be shown now.
    mutating func sorted(_ item: Progress.Item) -> [Progress.Item] {
        switch item {
        case .task(let task):
            known.insert(task.id)
            return [item, .records(records.removeValue(forKey: task.id) ?? [])]
        case .records(let all):
            var shown: [EventRecord] = []
            for record in all {
                guard let task = record.task else { continue }
                if known.contains(task) { shown.append(record) } else { records[task, default: []].append(record) }
            }
            return [.records(shown)]
        case .told, .progress, .notice, .tick: return [item]
        }
    }
}

/// One line a transition: for logs and cron.
struct LineView: ProgressView {
    private var names: [TaskID: [String]] = [:]

    mutating func take(_ item: Progress.Item) {
        switch item {
        case .task(let task): names[task.id] = task.steps.map(\.name)
        case .records(let records):
            for record in records where record.event.type.isTransition {
                note(record.line(record.task.flatMap { names[$0] }))
            }
        case .notice(let text): note(text)
        case .told, .progress, .tick: break
        }
    }

    mutating func end() {}
}
