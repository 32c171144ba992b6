import Stepwell
import StepwellEngine
import StepwellHistory
import StepwellLog
import StepwellModel

extension Routes {
    /// How many tasks leave in one turn of the engine, which waits for it.
    private static let portion = 50
    private static let tasksMax = 1000

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
                guard words.count <= tasksMax else {
                    throw Problem.malformed("'tasks' must hold at most \(tasksMax) tasks, not \(words.count)")
                }
                let wanted = try words.map { word in
                    guard let id = TaskID(word) else {
                        throw Problem.malformed("'tasks': '\(word)' is no id of a task")
                    }
                    return id
                }
                let isDryRun = try call.flag("dry_run")
                let tasks = try await call.service.prunable(before, of: wanted)
                let pruning = Pruning(
                    before: before, reason: reason, actor: call.identity.actor(), version: stepwellVersion,
                    tasksMax: portion, now: { before })
                let report = Pruning.preview(tasks)
                if !isDryRun {
                    for step in pruning.steps(tasks) {
                        try await call.service.engine.core.send(
                            .pruneTasks(
                                step, StorePruning(taskCount: 0, eventCount: 0, before: before, reason: reason)),
                            by: call.identity.actor())
                    }
                }
                return HTTPResponse(
                    json: [
                        "dry_run": .bool(isDryRun), "before": .string(before.description),
                        "tasks": .number(String(report.tasks)), "events": .number(String(report.events)),
                    ])
            })
    ]
}

extension Service {
    /// The tasks that may leave; of those that are wanted, or of all. Looks at all tasks of the store, on a thread of its own.
    fileprivate func prunable(_ before: Timestamp, of wanted: [TaskID]) async throws -> [TaskSummary] {
        let found: [TaskSummary] = try await withCheckedThrowingContinuation { continuation in
            do throws(Problem) {
                try slow.run { [store] in
                    continuation.resume(with: Result { try store.prunableTasks(endedBefore: before) })
                }
            } catch { continuation.resume(throwing: error) }
        }
        guard !wanted.isEmpty else { return found }
        let ids = Set(wanted)
        return found.filter { ids.contains($0.id) }
    }
}
