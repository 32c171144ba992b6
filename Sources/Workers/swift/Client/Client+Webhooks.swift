import StepwellModel

extension Client {
    /// Has events sent to an address, each at least once and in order: all, or those that are named.
    ///
    /// - Parameters:
    ///   - types: such as `task.completed`.
    ///   - tasks: ids of tasks.
    ///   - secret: the name of the server's secret that signs the events, such as `secret:hook-key`.
    ///   - after: events after this number; nil: from now on.
    ///   - disableAfter: an address that fails for so many seconds is given up; nil: the server's own time.
    @discardableResult
    public func createWebhook(
        _ url: String, types: [String] = [], namespaces: [String] = [], tasks: [String] = [], secret: String? = nil,
        after: Int? = nil, disableAfter: Int? = nil
    ) async throws -> RemoteWebhook {
        let body = object { json in
            json.member("url", url)
            json.member("types", ifNotEmpty: types)
            json.member("namespaces", ifNotEmpty: namespaces)
            json.member("tasks", ifNotEmpty: tasks)
            json.member("secret", ifPresent: secret)
            json.member("after", ifPresent: after)
            json.member("disable_after_s", ifPresent: disableAfter)
        }
        return try await ask("POST", "/v1/webhooks", body, isRepeatable: false) { json throws(BadAnswer) in
            try RemoteWebhook(json)
        }
    }

    /// All webhooks, and how they fare.
    public func webhooks() async throws -> [RemoteWebhook] {
        try await ask("GET", "/v1/webhooks") { json throws(BadAnswer) in
            try json.list("webhooks") { webhook throws(BadAnswer) in try RemoteWebhook(webhook) }
        }
    }

    /// A webhook by its id: how far it is behind, and its last error.
    public func webhook(_ id: String) async throws -> RemoteWebhook {
        try await ask("GET", path("webhooks", id)) { json throws(BadAnswer) in try RemoteWebhook(json) }
    }

    /// Has a webhook that was given up, or that waits, try again at once; from another event, if one is given.
    @discardableResult
    public func enableWebhook(_ id: String, after: Int? = nil) async throws -> RemoteWebhook {
        let body = object { $0.member("after", ifPresent: after) }
        return try await ask("POST", path("webhooks", id, "enable"), body, isRepeatable: false) {
            json throws(BadAnswer) in try RemoteWebhook(json)
        }
    }

    /// Sends a webhook nothing more.
    /// - Returns: the webhook as it was.
    @discardableResult
    public func removeWebhook(_ id: String) async throws -> RemoteWebhook {
        try await ask("DELETE", path("webhooks", id), isRepeatable: false) { json throws(BadAnswer) in
            try RemoteWebhook(json)
        }
    }
}
