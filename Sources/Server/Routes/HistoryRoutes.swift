import Stepwell
import StepwellEngine
import StepwellHistory
import StepwellLog
import StepwellModel

extension Routes {
    static let history: [Route] = [
        Route(
            "GET", "/v1/tasks/{task}/explain", .view,
            Operation(
                id: "explainTask", tag: "History",
                summary: "Say why a task or a step waits or has failed, and what can be done.",
                query: [.init("step", "The whole story of this step."), .color],
                answers: [(200, "Sentences, each with the events that bear it out.", .shown("Explanation"))],
                problems: [404]),
            .slow { call in
                try call.allowOnly("step", "color")
                let id = try call.task()
                let report = try call.report(id)
                let step = try call.request.queried("step").map { step in
                    guard let index = report.steps.firstIndex(where: { $0.name == step }) else {
                        throw UnknownStepError(step: step, task: id, known: report.steps.map(\.name))
                    }
                    return index
                }
                guard
                    let explanation = try Explanation.read(
                        id, step: step, from: call.service.store, activity: .served)
                else { throw TaskNameError.unknown(id.description) }
                // The store knows nothing of a hold: by it alone there is merely no worker.
                return try call.answer(
                    ShownExplanation(explanation, isHeld: call.service.engine.core.heldWorkerCount != nil))
            }),
        Route(
            "GET", "/v1/tasks/{task}/diff/{other}", .view,
            Operation(
                id: "diffTasks", tag: "History",
                summary: "Compare two tasks: where they went apart, and all that differs.",
                details: "`alike` says whether there are none; as text, the header `X-Stepwell-Alike` does.",
                query: [.color],
                answers: [(200, "The differences.", .shown("Difference"))], problems: [404]),
            .slow { call in
                try call.allowOnly("color")
                let other = try call.service.find(call["other"], call.identity)
                guard let diff = try TaskDiff.read(try call.task(), other, from: call.service.store) else {
                    throw TaskNameError.unknown(call["other"])
                }
                var response = try call.answer(diff)
                response.headers.append(("X-Stepwell-Alike", "\(diff.isAlike)"))
                return response
            }),
        Route(
            "GET", "/v1/tasks/{task}/export", .view,
            Operation(
                id: "exportTask", tag: "History",
                summary: "The whole of a task as a bundle, to be read or imported elsewhere.",
                query: [
                    .init(
                        "redact",
                        "Take out the value at this JSON pointer in inputs and results; may be given several times.")
                ],
                answers: [
                    (200, "The bundle.", .init(type: "application/x-stepwell-bundle", schema: ["type": "string"]))
                ],
                problems: [404]),
            .slow { call in
                try call.allowOnly("redact")
                let id = try call.task()
                let pointers = call.request.query.filter { $0.name == "redact" }.map(\.value)
                guard
                    let bundle = try RunBundle.export(
                        id, from: call.service.store, redacting: pointers, version: stepwellVersion)
                else { throw TaskNameError.unknown(id.description) }
                return HTTPResponse(contentType: "application/x-stepwell-bundle", body: try bundle.text())
            }),
        Route(
            "POST", "/v1/tasks/{task}/fork", .operate,
            Operation(
                id: "forkTask", tag: "History",
                summary:
                    "A new task that takes over the results before one step, and runs that step and all behind it.",
                query: [.dryRun],
                body: .json(
                    "Fork",
                    example: ["from": "load", "input": ["date": "2026-11-24"], "reason": "with the mended handler"]),
                answers: [
                    (201, "The new task.", .json("Task")), (200, "What the fork would come to.", .json("DryRun")),
                ],
                problems: [404, 409, 422]),
            .later { call in try await fork(call) }),
        Route(
            "GET", "/v1/state", .view,
            Operation(
                id: "getState", tag: "History",
                summary: "The whole engine as it was at a moment: open tasks, attempts, workers, timers, queue.",
                details: "The log is folded from its beginning, which takes a while in a large store.",
                query: [
                    .init(
                        "at",
                        "The number of an event, a time such as 2026-11-24T02:00:31Z, or -10m; without it the present.",
                        ["type": "string", "pattern": "^([0-9]{1,15}|-[0-9]{1,4}[smh])$|^[0-9]{4}-[0-9]{2}-[0-9]{2}T"]),
                    .color,
                ],
                answers: [(200, "The state.", .shown("World"))]),
            .slow { call in
                try call.allowOnly("at", "color")
                try call.needAllNamespaces("the state is")
                let last = call.service.store.head.time
                let moment = try call.request.queried("at").map { text in
                    guard let moment = MomentText(text) else {
                        throw Problem.malformed("'at' takes the number of an event, a time, or -10m, not '\(text)'")
                    }
                    return moment.moment(first: last.startOfDay, last: last, now: call.service.now)
                }
                // Whether an engine is at work is known of the present alone.
                return try call.answer(
                    ShownWorld(
                        try World.read(call.service.store, at: moment ?? .end),
                        activity: moment == nil ? .served : .unknown))
            }),
    ]

    private static func fork(_ call: Call) async throws -> HTTPResponse {
        try call.allowOnly("dry_run")
        let reader = try call.members(only: ["from", "input", "results", "version", "reason"])
        let (from, input, results, version, reason) = try reading { () throws(Malformed) in
            (
                try reader.string("from"), try reader.optionalObject("input"), try reader.optionalObject("results"),
                try reader.optionalString("version"), try reader.optionalString("reason")
            )
        }
        let id = try call.task()
        let report = try call.report(id)
        let template = try version.map { version in
            try call.service.catalog.find(
                namespace: report.submission.namespace, name: report.submission.name, version: version,
                for: call.identity.namespaces)
        }
        // As they were written.
        let given = try reading { () throws(Malformed) in
            guard let results else { return [String: JSONText]() }
            let reader = try MessageReader(results.bytes)
            var given: [String: JSONText] = [:]
            for member in results.json.members ?? [] { given[member.name] = try reader.json(member.name) }
            return given
        }
        let plan = try ForkPlan.make(
            of: id, in: call.service.store, from: from, template: template,
            inputChanges: input?.json.members ?? [], given: given)
        if try call.flag("dry_run") {
            try Engine.check(plan.template, input: plan.input)
            let fresh = call.service.engine.newTaskID()
            let run = try DryRun.submitting(plan.command(fresh, SubmitOptions(reason: reason)), fresh)
            let members = run.json(task: nil, input: plan.inputChanges).members ?? []
            return HTTPResponse(
                json: .object(members + [.init("warnings", .array(plan.warnings.map(JSON.string)))]))
        }
        let task = try await call.service.engine.fork(plan, SubmitOptions(reason: reason, actor: call.identity.actor()))
        return HTTPResponse(201, json: try call.report(task.id).json)
    }
}
