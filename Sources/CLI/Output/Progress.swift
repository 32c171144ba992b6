import StepwellEngine
import StepwellHistory
import StepwellLog
import StepwellModel

/// Shows what happens while tasks run: on a terminal a live tree of one task's steps, else one line a transition. Always on
/// standard error, so that standard output holds the result alone.
final class Progress: Sendable {
    enum Item: Sendable {
        case records([EventRecord])
        case progress(TaskID, step: Int, JSONText)
        case notice(String)
        /// Which task the items are about, and its steps.
        case task(TaskReport)
        case tick
    }

    private let items: AsyncStream<Item>.Continuation
    private let printer: Task<Void, Never>
    private let ticker: Task<Void, Never>?

    init(isLive: Bool = Terminal.stderrIsTerminal && Terminal.colorAllowed) {
        let (stream, continuation) = AsyncStream.makeStream(of: Item.self)
        items = continuation
        printer = Task.detached {
            var view: any ProgressView = isLive ? LiveTree() : LineView()
            for await item in stream { view.take(item) }
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

/// One line a transition: for logs and cron.
struct LineView: ProgressView {
    private var names: [TaskID: [String]] = [:]
    /// What has happened to tasks that are not known yet: the engine is at work while they are still being looked up.
    private var early: [TaskID: [EventRecord]] = [:]

    mutating func take(_ item: Progress.Item) {
        switch item {
        case .task(let report):
            names[report.id] = report.template.steps.map(\.name)
            for record in early.removeValue(forKey: report.id) ?? [] { print(record, of: report.id) }
        case .records(let records):
            for record in records where record.event.type.isTransition {
                if let task = record.task { print(record, of: task) }
            }
        case .notice(let text): note(text)
        case .progress, .tick: break
        }
    }

    private mutating func print(_ record: EventRecord, of task: TaskID) {
        guard let steps = names[task] else { return early[task, default: []].append(record) }
        note(record.line(steps))
    }

    mutating func end() {}
}
