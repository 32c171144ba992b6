import Stepwell
import StepwellEngine
import StepwellHistory
import StepwellLog
import StepwellModel

extension Routes {
    static let steps: [Route] = [
        Route(
            "GET", "/v1/tasks/{task}/steps", .view,
            Operation(
                id: "listSteps", tag: "Steps", summary: "List the steps of a task, in the template's order.",
                answers: [(200, "The steps.", .json("StepList"))], problems: [404]),
            .now { call in
                let report = try call.report(try call.task())
                return HTTPResponse(json: ["steps": .array(report.stepsJSON)])
            }),
        Route(
            "GET", "/v1/tasks/{task}/steps/{step}", .view,
            Operation(
                id: "getStep", tag: "Steps", summary: "Show one step.", answers: [(200, "The step.", .json("Step"))],
                problems: [404]),
            .now { call in
                let report = try call.report(try call.task())
                return HTTPResponse(json: report.stepsJSON[try report.index(of: call["step"])])
            }),
        Route(
            "GET", "/v1/tasks/{task}/steps/{step}/result", .view,
            Operation(
                id: "getResult", tag: "Steps", summary: "The result of a step, byte for byte.",
                answers: [(200, "The result.", .init(type: "application/json", schema: [:]))], problems: [404]),
            .now { call in
                let report = try call.report(try call.task())
                let step = report.steps[try report.index(of: call["step"])]
                guard let result = step.result, step.state.satisfiesDependents else {
                    throw Problem(
                        404, "no_result", "the step '\(step.name)' is \(step.state.name) and has no result",
                        cure: "wait for it, or resolve it by hand")
                }
                return HTTPResponse(json: result)
            }),
        Route(
            "GET", "/v1/tasks/{task}/steps/{step}/audit", .view,
            Operation(
                id: "getStepAudit", tag: "Steps", summary: "All events of a step, as CloudEvents, oldest first.",
                answers: [(200, "The events.", .json("CloudEvents"))], problems: [404]),
            .now { call in
                let report = try call.report(try call.task())
                let step = try report.index(of: call["step"])
                let names = report.steps.map(\.name)
                let storeID = try call.service.store.writerID()
                var json = JSONWriter()
                json.beginObject()
                json.name("events")
                json.beginArray()
                try call.service.store.events(of: report.id, after: .zero, payloads: .included) { record in
                    guard record.event.concerns(step) else { return }
                    json.raw(
                        CloudEventJSON.line(
                            record, storeID: storeID, correlationID: report.submission.correlationID
                        ) { names[$0] })
                }
                json.endArray()
                json.endObject()
                return HTTPResponse(json: JSONText(trusted: json.bytes))
            }),
        Route(
            "POST", "/v1/tasks/{task}/steps/{step}/resolve", .operate,
            Operation(
                id: "resolveStep", tag: "Steps",
                summary: "Settle a step by hand, with or without a result, so that the steps after it can run.",
                query: [.dryRun],
                body: .json("Resolution", example: ["result": ["rows": 3], "reason": "loaded by hand"]),
                answers: [(200, "The task.", .json("Task"))], problems: [404, 409]),
            .later { call in
                try call.allowOnly("dry_run")
                let reader = try call.members(only: ["result", "reason"])
                let (result, reason) = try reading { () throws(Malformed) in
                    (
                        reader.range("result") == nil ? nil : try reader.json("result"),
                        try reader.optionalString("reason")
                    )
                }
                let id = try call.task()
                if try call.flag("dry_run") {
                    let index = try call.service.store.stepIndexes(of: [call["step"]], in: id)[0]
                    return try call.dryRun(.resolveStep(id, index, result: result, reason: reason), id)
                }
                try await call.service.engine.task(id)
                    .resolve(call["step"], result: result, reason: reason, by: call.identity.actor())
                return HTTPResponse(json: try call.report(id).json)
            }),
    ]
}

extension TaskReport {
    /// The steps as objects that name themselves.
    fileprivate var stepsJSON: [JSON] {
        let members = json.json["steps"]?.members ?? []
        return members.map { member in
            .object([.init("name", .string(member.name))] + (member.value.members ?? []))
        }
    }

    fileprivate func index(of step: String) throws -> StepIndex {
        guard let index = steps.firstIndex(where: { $0.name == step }) else {
            throw UnknownStepError(step: step, task: id, known: steps.map(\.name))
        }
        return index
    }
}

extension Event {
    /// Whether the event is about that step.
    fileprivate func concerns(_ step: StepIndex) -> Bool {
        switch self {
        case .attemptSucceeded(let attempt, _, _), .attemptFailed(let attempt, _), .attemptTimedOut(let attempt),
            .attemptLost(let attempt, _), .attemptStopped(let attempt), .attemptCheckpointed(let attempt, _),
            .resultRejected(let attempt, _):
            attempt.step == step
        case .retryDue(let other), .operatorResolved(let other, _, _), .stepEnqueued(let other),
            .retryScheduled(let other, _), .stepCompleted(let other), .stepFailed(let other, _), .stepReset(let other),
            .stepResolved(let other), .stepAdopted(let other):
            other == step
        case .resultAdopted(let adopted): adopted.step == step
        case .operatorRetried(let steps, _): steps.contains(step)
        case .attemptStarted(let start): start.step == step
        default: false
        }
    }
}
