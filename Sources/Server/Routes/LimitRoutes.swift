import Stepwell
import StepwellEngine
import StepwellHistory
import StepwellKernel
import StepwellLog
import StepwellModel

extension Routes {
    private static let reason = Operation.Parameter("reason", "Why, for the log.")

    static let limits: [Route] = [
        Route(
            "GET", "/v1/limits", .view,
            Operation(
                id: "listLimits", tag: "Limits", summary: "List the limits, and how far each is used.",
                answers: [(200, "The limits.", .json("LimitList"))]),
            .later { call in
                try call.allowOnly()
                let uses = try await call.limits().filter { call.maySee($0.setting.target) }
                let reports = try uses.map { try LimitReport($0, in: call.service.store).json }
                return HTTPResponse(json: ["limits": .array(reports)])
            }),
        Route(
            "GET", "/v1/limits/{scope}/{target}", .view,
            Operation(
                id: "getLimit", tag: "Limits", summary: "Show one limit.",
                answers: [(200, "The limit.", .json("Limit"))], problems: [404]),
            .later { call in
                try call.allowOnly()
                let target = try call.limitTarget()
                guard call.maySee(target) else { throw EngineError.rejected(.unknownLimit(target)) }
                return HTTPResponse(json: try await call.limit(target))
            }),
        Route(
            "PUT", "/v1/limits/{scope}/{target}", .operate,
            Operation(
                id: "setLimit", tag: "Limits",
                summary: "Set how many attempts of a namespace or a handler run at once, and how fast they start.",
                details:
                    "The limit is set as a whole: what the body leaves out has no bound. What runs goes on, and counts.",
                body: .json(
                    "NewLimit",
                    example: [
                        "concurrency_max": 4, "rate": "100/min", "burst": 20, "reason": "the provider asks for it",
                    ]),
                answers: [(200, "The limit.", .json("Limit"))], problems: [409, 422]),
            .later { call in
                try call.allowOnly()
                let target = try call.limitTarget()
                try call.needRight(to: target)
                let (setting, reason) = try call.limitSetting(target)
                try await call.service.engine.setLimit(setting, reason: reason, by: call.identity.actor())
                return HTTPResponse(json: try await call.limit(target))
            }),
        Route(
            "DELETE", "/v1/limits/{scope}/{target}", .operate,
            Operation(
                id: "removeLimit", tag: "Limits", summary: "Remove a limit: what has waited for it goes on.",
                query: [reason], answers: [(204, "It is gone.", nil)], problems: [404]),
            .later { call in
                try call.allowOnly("reason")
                let target = try call.limitTarget()
                try call.needRight(to: target)
                try await call.service.engine.removeLimit(
                    of: target, reason: call.request.queried("reason"), by: call.identity.actor())
                return HTTPResponse(204, contentType: "", body: [])
            }),
    ]
}

extension Call {
    fileprivate func limits() async throws -> [LimitUse] {
        let now = service.engine.core.clock.now()
        return try await service.engine.core.answer { $0.limits(at: now) }
    }

    fileprivate func limit(_ target: LimitTarget) async throws -> JSON {
        let now = service.engine.core.clock.now()
        guard let use = try await service.engine.core.answer({ $0.limit(of: target, at: now) }) else {
            throw EngineError.rejected(.unknownLimit(target))
        }
        return try LimitReport(use, in: service.store).json
    }

    fileprivate func limitTarget() throws(Problem) -> LimitTarget {
        guard let scope = LimitTarget.Scope(name: self["scope"]) else {
            throw .malformed("'\(self["scope"])' has no limits", cure: "those are: namespace, handler")
        }
        return LimitTarget(scope, self["target"])
    }

    /// Handlers belong to all namespaces.
    fileprivate func maySee(_ target: LimitTarget) -> Bool {
        if case .all = identity.namespaces { return true }
        return target.scope == .namespace && identity.namespaces.includes(target.name)
    }

    fileprivate func needRight(to target: LimitTarget) throws(Problem) {
        guard maySee(target) else {
            throw Problem(403, "not_allowed", "the token does not allow the limit of \(target)")
        }
    }

    fileprivate func limitSetting(_ target: LimitTarget) throws -> (LimitSetting, reason: String?) {
        let reader = try members(only: ["concurrency_max", "rate", "burst", "reason"])
        return try reading { () throws(Malformed) in
            var setting = LimitSetting(
                target, concurrencyMax: try reader.optionalInteger("concurrency_max").map { Int($0) })
            let burst = try reader.optionalInteger("burst").map { Int($0) }
            if let text = try reader.optionalString("rate") {
                guard let rate = StartRate(text, burst: burst) else {
                    throw Malformed("'rate' must be a number of starts and a time, such as 10/s, 100/min or 3/h")
                }
                setting.rate = rate
            } else if burst != nil {
                throw Malformed("'burst' has no meaning without 'rate'")
            }
            return (setting, try reader.optionalString("reason"))
        }
    }
}
