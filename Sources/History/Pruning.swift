package import StepwellLog
package import StepwellModel

/// Lets finished tasks leave a store. Each step is one transaction that is recorded in the log, so that it may end at any moment, also
/// by kill -9, and be begun again.
package struct Pruning: Sendable {
    /// Tasks that ended before it may leave.
    package var before: Timestamp
    package var reason: String?
    package var actor: Actor
    /// Stepwell's version, for the archive.
    package var version: String
    package var now: @Sendable () -> Timestamp
    /// How much one step takes at most; a task is never divided.
    package var tasksMax: Int
    private let eventsMax = 20_000

    package init(
        before: Timestamp, reason: String?, actor: Actor, version: String, tasksMax: Int = 500,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.tasksMax = tasksMax
        self.before = before
        self.reason = reason
        self.actor = actor
        self.version = version
        self.now = now
    }

    /// What has left, or would leave.
    package struct Report: Hashable, Sendable {
        package var tasks: Int
        package var events: Int
        package var templates = 0

        package init(tasks: Int = 0, events: Int = 0) {
            self.tasks = tasks
            self.events = events
        }
    }

    /// What would leave.
    package static func preview(_ store: some StoreQueries, before: Timestamp) throws(LogError) -> Report {
        let count = try PrunableTasks(endedBefore: before, in: store).count(in: store)
        return Report(tasks: count.tasks, events: count.events)
    }

    /// Prunes a store that nobody works on.
    /// - Parameters:
    ///   - archive: takes each step's bundles and returns when they are on disk; nothing leaves the store before.
    ///   - progress: what has left so far, and how many tasks will.
    /// - Throws: ``LogError``, and what `archive` throws. What has left by then is recorded.
    package func run(
        _ editor: StoreEditor, archive: (([UInt8]) throws -> Void)? = nil,
        progress: (Report, _ total: Int) -> Void = { _, _ in }
    ) throws -> Report {
        var report = try run(editor, archive: archive, progress: progress) { step in
            try editor.prune(
                PruningStep(tasks: step, before: before, reason: reason, actor: actor, now: now()))
        }
        if report.tasks > 0 { report.templates = try editor.pruneTemplates() }
        return report
    }

    /// The same where somebody else does it: reads what is to leave, archives it, and says what may leave.
    /// - Parameter remove: lets tasks leave; gives the number of their events.
    package func run(
        _ store: some StoreQueries, archive: (([UInt8]) throws -> Void)?, progress: (Report, _ total: Int) -> Void,
        remove: ([TaskID]) throws -> Int
    ) throws -> Report {
        var prunable = try PrunableTasks(endedBefore: before, in: store)
        let total = try prunable.count(in: store).tasks
        var report = Report()
        while true {
            let tasks = try prunable.next(tasksMax, in: store)
            guard !tasks.isEmpty else { return report }
            for step in steps(tasks) {
                if let archive {
                    var text: [UInt8] = []
                    for task in step {
                        guard let bundle = try RunBundle.export(task, from: store, version: version) else { continue }
                        text += try bundle.text()
                    }
                    try archive(text)
                }
                report.events += try remove(step)
                report.tasks += step.count
                // Tasks may end meanwhile.
                progress(report, max(total, report.tasks))
            }
        }
    }

    /// Some tasks, at most ``tasksMax``, in portions that each leave at once.
    package func steps(_ tasks: [TaskSummary]) -> [[TaskID]] {
        var steps: [[TaskID]] = []
        var events = 0
        for task in tasks {
            if steps.isEmpty || events + Int(task.eventCount) > eventsMax {
                steps.append([])
                events = 0
            }
            steps[steps.count - 1].append(task.id)
            events += Int(task.eventCount)
        }
        return steps
    }
}
