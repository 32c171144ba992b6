public import StepwellModel

/// What has happened, and what would.
extension Client {
    /// A page of the log, oldest first.
    /// - Parameters:
    ///   - task: only the events of this task; nil: of all.
    ///   - after: the `nextAfter` of the page before.
    ///   - limit: at most so many, 1 to 1000; nil: 100.
    public func events(_ task: String? = nil, after: Int = 0, limit: Int? = nil) async throws -> RemoteEventPage {
        let place = task.map { path("tasks", $0, "events") } ?? "/v1/events"
        let query = query([("after", "\(after)"), ("limit", limit.map(String.init))])
        return try await ask("GET", place + query) { json throws(BadAnswer) in
            RemoteEventPage(events: try json.list("events"), nextAfter: try json.number("next_after"))
        }
    }

    /// A page of what the handlers of a task have written.
    /// - Parameter cursor: the `next` of the page before.
    public func logLines(
        _ task: String, step: String? = nil, cursor: String? = nil, limit: Int? = nil
    ) async throws -> RemoteLogPage {
        let query = query([("step", step), ("cursor", cursor), ("limit", limit.map(String.init))])
        return try await ask("GET", path("tasks", task, "logs") + query) { json throws(BadAnswer) in
            RemoteLogPage(
                lines: try json.list("lines") { line throws(BadAnswer) in try RemoteLogLine(line) },
                next: json["next"]?.string)
        }
    }

    /// All that the handlers of a task have written, page after page as they are asked for.
    public func allLogLines(_ task: String, step: String? = nil) -> RemoteLogLines {
        RemoteLogLines { [self] cursor in
            let page = try await logLines(task, step: step, cursor: cursor)
            return (page.lines, page.next)
        }
    }

    /// Why a task, or one of its steps, waits or has failed, and what can be done.
    public func explainTask(_ task: String, step: String? = nil) async throws -> RemoteExplanation {
        try await ask("GET", path("tasks", task, "explain") + query([("step", step)])) { json throws(BadAnswer) in
            try RemoteExplanation(json)
        }
    }

    /// A drawing of a task's steps with their states.
    public func drawTask(_ task: String, format: DrawingFormat = .text) async throws -> String {
        try await askForText(path("tasks", task, "graph") + query([("format", format.rawValue)]))
    }

    /// Compares two tasks.
    public func diffTasks(_ task: String, _ other: String) async throws -> RemoteDifference {
        try await ask("GET", path("tasks", task, "diff", other)) { json throws(BadAnswer) in
            RemoteDifference(isAlike: try json.flag("alike"), json: json)
        }
    }

    /// The whole of a task as a bundle, without the values at these JSON pointers.
    public func exportTask(_ task: String, redacting pointers: [String] = []) async throws -> String {
        try await askForText(path("tasks", task, "export") + query(pointers.map { ("redact", $0) }))
    }

    /// Which steps of a task are done, which run next, and which then.
    public func planTask(_ task: String) async throws -> RemotePlan {
        try await ask("GET", path("tasks", task, "plan")) { json throws(BadAnswer) in try RemotePlan(json) }
    }

    /// A new task that takes over the results before a step, and runs that step and all behind it.
    ///
    /// - Parameters:
    ///   - step: the step to run again.
    ///   - input: members of the input to change, an object.
    ///   - results: those to take over in place of the recorded ones, by step.
    ///   - version: another version of the template.
    @discardableResult
    public func forkTask(
        _ task: String, from step: String, input: JSON? = nil, results: [String: JSON] = [:], version: String? = nil,
        reason: String? = nil
    ) async throws -> RemoteTask {
        let body = fork(step, input, results, version, reason)
        return try await ask("POST", path("tasks", task, "fork"), body, isRepeatable: false) { json throws(BadAnswer) in
            try RemoteTask(json)
        }
    }

    /// What ``forkTask(_:from:input:results:version:reason:)`` would come to. Nothing is changed.
    public func planFork(
        _ task: String, from step: String, input: JSON? = nil, results: [String: JSON] = [:], version: String? = nil
    ) async throws -> RemotePlan {
        let body = fork(step, input, results, version, nil)
        return try await ask("POST", path("tasks", task, "fork") + "?dry_run=true", body) { json throws(BadAnswer) in
            try RemotePlan(json)
        }
    }

    private func fork(
        _ step: String, _ input: JSON?, _ results: [String: JSON], _ version: String?, _ reason: String?
    ) -> [UInt8] {
        object { json in
            json.member("from", step)
            if let input { json.member("input", input) }
            if !results.isEmpty {
                let members = results.sorted { $0.key < $1.key }.map { JSON.Member($0.key, $0.value) }
                json.member("results", .object(members))
            }
            json.member("version", ifPresent: version)
            json.member("reason", ifPresent: reason)
        }
    }
}
