public import StepwellModel

extension Client {
    /// All limits, and how far each is used.
    public func limits() async throws -> [RemoteLimit] {
        try await ask("GET", "/v1/limits") { json throws(BadAnswer) in
            try json.list("limits") { limit throws(BadAnswer) in try RemoteLimit(limit) }
        }
    }

    /// The limit of a namespace or a handler.
    public func limit(_ scope: LimitTarget.Scope, _ name: String) async throws -> RemoteLimit {
        try await ask("GET", path("limits", scope.name, name)) { json throws(BadAnswer) in try RemoteLimit(json) }
    }

    /// Sets a limit as a whole: what is nil has no bound. What runs goes on, and counts.
    ///
    /// - Parameters:
    ///   - concurrencyMax: how many attempts run at once; 0 lets nothing start.
    ///   - rate: how many start in a time, such as `10/s`, `100/min` or `3/h`.
    ///   - burst: how many start at once after a quiet time; nil: as many as the rate says.
    @discardableResult
    public func setLimit(
        _ scope: LimitTarget.Scope, _ name: String, concurrencyMax: Int? = nil, rate: String? = nil, burst: Int? = nil,
        reason: String? = nil
    ) async throws -> RemoteLimit {
        let body = object { json in
            json.member("concurrency_max", ifPresent: concurrencyMax)
            json.member("rate", ifPresent: rate)
            json.member("burst", ifPresent: burst)
            json.member("reason", ifPresent: reason)
        }
        return try await ask("PUT", path("limits", scope.name, name), body) { json throws(BadAnswer) in
            try RemoteLimit(json)
        }
    }

    /// Removes a limit: what has waited for it goes on.
    public func removeLimit(_ scope: LimitTarget.Scope, _ name: String, reason: String? = nil) async throws {
        try await tell("DELETE", path("limits", scope.name, name) + query([("reason", reason)]))
    }
}
