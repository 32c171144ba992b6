import Stepwell
import StepwellEngine
import StepwellHistory
import StepwellKernel
import StepwellLog
import StepwellModel

extension Routes {
    static let health: [Route] = [
        Route(
            "GET", "/v1/health/live", .none,
            Operation(
                id: "isLive", tag: "Health", summary: "Whether the server answers at all.",
                answers: [(200, "It does.", .json("Health"))]),
            .now { _ in HTTPResponse(json: ["status": "live"]) }),
        Route(
            "GET", "/v1/health/ready", .none,
            Operation(
                id: "isReady", tag: "Health", summary: "Whether the server takes tasks: recovered, and not stopping.",
                answers: [(200, "It does.", .json("Health"))], problems: [503]),
            .now { call in
                guard call.service.currentPhase == .ready else {
                    throw Problem(503, "not_ready", "the server is \(call.service.currentPhase)", retryAfter: 1)
                }
                let isHeld = call.service.engine.core.heldWorkerCount != nil
                return HTTPResponse(json: ["status": "ready", "held": .bool(isHeld)])
            }),
        Route(
            "GET", "/v1/health", .view,
            Operation(
                id: "getHealth", tag: "Health", summary: "How the server and its store are.",
                answers: [(200, "The details.", .json("Health"))]),
            .later { call in
                let (open, running, workers) = try await call.service.engine.core.answer {
                    ($0.openTaskCount, $0.runningAttemptCount, $0.workerIDs.count)
                }
                let head = call.service.store.head
                let held = call.service.engine.core.heldWorkerCount
                return HTTPResponse(
                    json: [
                        "status": .string("\(call.service.currentPhase)"), "version": .string(stepwellVersion),
                        "held": .bool(held != nil), "held_workers": .number(String(held ?? 0)),
                        "uptime_ms": .number(String(monotonicMilliseconds() - call.service.startedAt)),
                        "open_tasks": .number(String(open)), "running_attempts": .number(String(running)),
                        "workers": .number(String(workers)), "events": .number(String(head.number.rawValue)),
                        "head_time": .string(head.time.description),
                        "refused_requests": .number(String(call.service.refusals.count)),
                    ])
            }),
        Route(
            "POST", "/v1/release", .operate,
            Operation(
                id: "release", tag: "Health",
                summary: "End the hold that the server was started with: steps are given to workers.",
                details: "See `--hold` in docs/operations.md. Where nothing is held, nothing happens.",
                body: .json("Reason", example: ["reason": "the copy is sound"], isRequired: false),
                answers: [(200, "Whether there was a hold.", .json("Released"))], problems: [503]),
            .now { call in
                try call.needAllNamespaces("a hold is")
                let reader = try call.members(only: ["reason"])
                let reason = try reading { () throws(Malformed) in try reader.optionalString("reason") }
                guard call.service.currentPhase != .draining else { throw Problem.stopping }
                let isReleased = call.service.engine.core.release()
                call.service.outbox.release()
                if isReleased { call.service.released(Release(by: call.identity.name, reason: reason)) }
                return HTTPResponse(json: ["released": .bool(isReleased), "held": false])
            }),
        Route(
            "GET", "/v1/stats", .view,
            Operation(
                id: "getStatistics", tag: "Health", summary: "Count what the store holds: events, tasks, bytes.",
                details: "Goes through all events once, which takes a while in a large store.",
                query: [.color], answers: [(200, "The counts.", .shown("Statistics"))]),
            .slow { call in
                try call.allowOnly("color")
                try call.needAllNamespaces("the counts are")
                return try call.answer(
                    ShownStatistics(try call.service.store.statistics(), path: call.service.store.path))
            }),
        Route(
            "GET", "/v1/openapi.json", .none,
            Operation(
                id: "getOpenAPI", tag: "Health", summary: "This description, in OpenAPI 3.1.",
                answers: [(200, "The document.", .init(type: "application/json", schema: ["type": "object"]))]),
            .now { _ in HTTPResponse(json: OpenAPI.text) }),
    ]
}
