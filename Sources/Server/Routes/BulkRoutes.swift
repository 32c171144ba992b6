import Stepwell
import StepwellEngine
import StepwellHistory
import StepwellKernel
import StepwellLog
import StepwellModel

extension Routes {
    private static let bulkMax = 1000

    static let bulk: [Route] = [
        Route(
            "POST", "/v1/tasks/bulk", .operate,
            Operation(
                id: "actOnTasks", tag: "Tasks",
                summary: "Cancel, retry, pause or resume all tasks that match, the newest first.",
                details: """
                    With `dry_run` nothing is changed, and the answer says what would be. Each task is acted on by itself: one \
                    that refuses does not hold up the others. When there are more than `limit`, send it again.
                    """,
                body: .json(
                    "Bulk",
                    example: [
                        "action": "retry", "namespace": "default", "state": "blocked_by_failures", "dry_run": true,
                    ]),
                answers: [(200, "What was done to each.", .json("BulkOutcome"))]),
            .later { call in try await act(call) })
    ]

    private static func act(_ call: Call) async throws -> HTTPResponse {
        let reader = try call.members(only: ["action", "namespace", "name", "state", "reason", "dry_run", "limit"])
        let (action, filter, reason, isDryRun, limit) = try reading {
            () throws(Malformed) -> (String, TaskFilter, String?, Bool, Int) in
            let state = try reader.optionalString("state")
            guard state.map({ TaskState(name: $0) != nil }) ?? true else {
                throw Malformed("'\(state ?? "")' is no state of a task")
            }
            let limit = try reader.optionalInteger("limit") ?? Int64(bulkMax)
            guard 1...Int64(bulkMax) ~= limit else { throw Malformed("'limit' must be 1 to \(bulkMax)") }
            return (
                try reader.string("action"),
                TaskFilter(
                    namespace: try reader.optionalString("namespace"), name: try reader.optionalString("name"),
                    state: state.flatMap { TaskState(name: $0) }),
                try reader.optionalString("reason"), try reader.optionalBool("dry_run") ?? false, Int(limit)
            )
        }
        guard let command = command(action, reason) else {
            throw Problem.malformed(
                "'\(action)' is no action", cure: "those are: " + actions.joined(separator: ", "))
        }
        var tasks: [TaskSummary] = []
        for states in filter.state.map({ [[$0]] }) ?? states(for: action) {
            var found: [TaskSummary] = []
            for state in states {
                var filter = filter
                filter.state = state
                found += try call.visible(filter, limit - tasks.count)
            }
            tasks += found.sorted { ($0.submitted, $0.id) > ($1.submitted, $1.id) }.prefix(limit - tasks.count)
        }
        var outcomes: [JSON] = []
        for task in tasks {
            var outcome: [JSON.Member] = [
                .init("task_id", .string(task.id.description)), .init("state", .string(task.state.name)),
            ]
            do throws(EngineError) {
                if isDryRun {
                    let refusal = try await call.service.engine.core.answer { state -> Rejection? in
                        do throws(Rejection) { _ = try state.decide(command(task.id)) } catch { return error }
                        return nil
                    }
                    if let refusal { throw .rejected(refusal) }
                } else {
                    try await call.service.engine.core.send(command(task.id), by: call.identity.actor())
                }
                outcome.append(.init("done", .bool(!isDryRun)))
            } catch {
                outcome.append(.init("done", false))
                outcome.append(.init("code", .string(error.code)))
                outcome.append(.init("detail", .string(error.message)))
            }
            outcomes.append(.object(outcome))
        }
        return HTTPResponse(
            json: ["action": .string(action), "dry_run": .bool(isDryRun), "tasks": .array(outcomes)])
    }

    private static let actions = ["cancel", "retry", "pause", "resume"]

    /// The states of tasks that are meant when none is named: open, for nothing can be done to the others. Those come first to which the
    /// most can be done, and none that are as they are wished to be: who sends it again must not meet the same tasks for ever.
    private static func states(for action: String) -> [[TaskState]] {
        let open = TaskState.allCases.filter { !$0.isClosed }
        return switch action {
        case "retry": [[.blockedByFailures], open.filter { $0 != .blockedByFailures }]
        case "pause": [open.filter { $0 != .paused }]
        case "resume": [[.paused]]
        default: [open]
        }
    }

    private static func command(_ action: String, _ reason: String?) -> (@Sendable (TaskID) -> Command)? {
        switch action {
        case "cancel": { .cancelTask($0, reason: reason) }
        case "retry": { .retryTask($0, steps: [], reason: reason) }
        case "pause": { .pauseTask($0, reason: reason) }
        case "resume": { .resumeTask($0, reason: reason) }
        default: nil
        }
    }
}
