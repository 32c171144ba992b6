public import StepwellModel

/// What whoever runs a server asks and says.
extension Client {
    /// Cancels, retries, pauses or resumes all tasks that match, the newest first.
    /// - Parameters:
    ///   - state: nil: the open tasks.
    ///   - limit: at most so many, 1 to 1000; nil: 1000.
    ///   - dryRun: change nothing; a task without a code would not refuse.
    @discardableResult
    public func actOnTasks(
        _ action: BulkAction, namespace: String? = nil, name: String? = nil, state: String? = nil,
        reason: String? = nil, limit: Int? = nil, dryRun: Bool = false
    ) async throws -> RemoteBulk {
        let body = object { json in
            json.member("action", action.rawValue)
            json.member("namespace", ifPresent: namespace)
            json.member("name", ifPresent: name)
            json.member("state", ifPresent: state)
            json.member("reason", ifPresent: reason)
            json.member("limit", ifPresent: limit)
            if dryRun { json.member("dry_run", true) }
        }
        return try await ask("POST", "/v1/tasks/bulk", body, isRepeatable: dryRun) { json throws(BadAnswer) in
            try RemoteBulk(json)
        }
    }

    /// Lets tasks that ended before a time leave the store.
    /// - Parameters:
    ///   - tasks: only these, by their ids; none: all.
    ///   - dryRun: change nothing, and say how much would leave.
    @discardableResult
    public func pruneTasks(
        before time: Timestamp, tasks: [String] = [], reason: String? = nil, dryRun: Bool = false
    ) async throws -> RemotePruning {
        let body = object { json in
            json.member("before", time.description)
            json.member("tasks", ifNotEmpty: tasks)
            json.member("reason", ifPresent: reason)
        }
        let path = "/v1/prune" + query([("dry_run", dryRun ? "true" : nil)])
        return try await ask("POST", path, body, isRepeatable: dryRun) { json throws(BadAnswer) in
            try RemotePruning(json)
        }
    }

    /// All workers, and what they hold.
    public func workers() async throws -> [RemoteWorkerInfo] {
        try await ask("GET", "/v1/workers") { json throws(BadAnswer) in
            try json.list("workers") { worker throws(BadAnswer) in try RemoteWorkerInfo(worker) }
        }
    }

    /// Tells a worker, by its ``RemoteWorkerInfo/id``, to finish what it has and to end.
    public func drainWorker(_ id: String) async throws {
        try await tell("POST", path("workers", id, "drain"))
    }

    /// Ends the hold that the server was started with, `stepwell serve --hold`.
    /// - Returns: whether there was one.
    @discardableResult
    public func release(reason: String? = nil) async throws -> Bool {
        let body = object { $0.member("reason", ifPresent: reason) }
        return try await ask("POST", "/v1/release", body, isRepeatable: false) { json throws(BadAnswer) in
            try json.flag("released")
        }
    }

    /// How the server and its store are; `status` is `ready` when it takes tasks.
    public func health() async throws -> JSON {
        try await ask("GET", "/v1/health") { $0 }
    }

    /// How much the store holds. The server goes through all events for it.
    public func statistics() async throws -> RemoteStatistics {
        try await ask("GET", "/v1/stats") { json throws(BadAnswer) in try RemoteStatistics(json) }
    }

    /// The server's figures, in the text format of Prometheus.
    public func metrics() async throws -> String { try await askForText("/v1/metrics") }

    /// The whole engine as it is, or was: at the number of an event, a time, or `-10m`.
    public func state(at moment: String? = nil) async throws -> JSON {
        try await ask("GET", "/v1/state" + query([("at", moment)])) { $0 }
    }
}
