import Stepwell
import StepwellEngine
import StepwellHistory
import StepwellLog
import StepwellModel
import Synchronization

extension Routes {
    static let prune: [Route] = [
        Route(
            "POST", "/v1/prune", .administer,
            Operation(
                id: "pruneTasks", tag: "History", summary: "Let finished tasks leave the store.",
                details: """
                    Only those that ended before a time, and of those only `tasks`, if any are named. The newest task of a key stays \
                    as long as another of that key does. What left is recorded in the log, in portions: a pruning that was broken \
                    off can be begun again.
                    """,
                query: [.dryRun],
                body: .json("Prune", example: ["before": "2026-11-24T00:00:00Z", "reason": "kept for a quarter"]),
                answers: [(200, "How much has left.", .json("Pruned"))]),
            .later { call in
                try call.allowOnly("dry_run")
                try call.needAllNamespaces("what leaves the store is")
                let wish = try PruneWish(call)
                let report = try await call.service.prune(wish, by: call.identity.actor())
                return HTTPResponse(
                    json: [
                        "dry_run": .bool(wish.isDryRun), "before": .string(wish.before.description),
                        "tasks": .number(String(report.tasks)), "events": .number(String(report.events)),
                    ])
            })
    ]
}

/// What somebody wants to leave the store.
private struct PruneWish {
    var before: Timestamp
    /// Of these alone; none: of all.
    var tasks: [TaskID]
    var reason: String?
    var isDryRun: Bool

    private static let tasksMax = 1000

    init(_ call: Call) throws {
        let reader = try call.members(only: ["before", "tasks", "reason"])
        let (text, words, reason) = try reading { () throws(Malformed) in
            (
                try reader.string("before"), try reader.optionalStrings("tasks"),
                try reader.optionalString("reason")
            )
        }
        guard let before = Timestamp(text) else {
            throw Problem.malformed("'before' must be a time such as 2026-11-24T02:00:31Z, not '\(text)'")
        }
        guard words.count <= Self.tasksMax else {
            throw Problem.malformed("'tasks' must hold at most \(Self.tasksMax) tasks, not \(words.count)")
        }
        tasks = try words.map { word in
            guard let id = TaskID(word) else { throw Problem.malformed("'tasks': '\(word)' is no id of a task") }
            return id
        }
        (self.before, self.reason) = (before, reason)
        isDryRun = try call.flag("dry_run")
    }
}

extension Service {
    /// How many tasks leave in one turn of the engine, which waits for it.
    private static let portion = 50

    fileprivate func prune(_ wish: PruneWish, by actor: Actor) async throws -> Pruning.Report {
        var prunable = try await prunable(wish.before)
        if wish.isDryRun, wish.tasks.isEmpty {
            let count = try await slowly { [prunable] in try prunable.count(in: $0) }
            return Pruning.Report(tasks: count.tasks, events: count.events)
        }
        var named = wish.tasks.isEmpty ? nil : try prunable.among(wish.tasks, in: store)[...]
        let pruning = Pruning(
            before: wish.before, reason: wish.reason, actor: actor, version: stepwellVersion, tasksMax: Self.portion,
            now: { wish.before })
        var report = Pruning.Report()
        while true {
            let tasks: [TaskSummary]
            if let left = named {
                (tasks, named) = (Array(left.prefix(Self.portion)), left.dropFirst(Self.portion))
            } else {
                (tasks, prunable) = try await slowly { [prunable] in
                    var rest = prunable
                    return (try rest.next(Self.portion, in: $0), rest)
                }
            }
            guard !tasks.isEmpty else { return report }
            report.tasks += tasks.count
            report.events += tasks.reduce(0) { $0 + Int($1.eventCount) }
            guard !wish.isDryRun else { continue }
            for step in pruning.steps(tasks) {
                let told = StorePruning(taskCount: 0, eventCount: 0, before: wish.before, reason: wish.reason)
                try await engine.core.send(.pruneTasks(step, told), by: actor)
            }
        }
    }

    /// What may leave the store. Whoever names tasks does so in many requests, one after the other: all tasks are looked at for the
    /// first of them.
    fileprivate func prunable(_ before: Timestamp) async throws -> PrunableTasks {
        let now = monotonicMilliseconds()
        if let known = lastPrunable.withLock({ $0 }), known.tasks.endedBefore == before, now - known.at < Self.patience
        {
            return known.tasks
        }
        let tasks = try await slowly { try PrunableTasks(endedBefore: before, in: $0) }
        lastPrunable.withLock { $0 = (tasks, now) }
        return tasks
    }

    /// In milliseconds.
    private static let patience: Int64 = 60_000

    /// Asks what reads much of the store, on a thread of its own.
    fileprivate func slowly<Result: Sendable>(
        _ question: @escaping @Sendable (LMDBLog) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            do throws(Problem) {
                try slow.run { [store] in
                    continuation.resume(with: Swift.Result { try question(store) })
                }
            } catch { continuation.resume(throwing: error) }
        }
    }
}
