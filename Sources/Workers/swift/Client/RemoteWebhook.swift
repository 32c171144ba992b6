public import StepwellModel

/// An address that a server sends its events to, and how it fares.
public struct RemoteWebhook: Sendable {
    public let id: String
    public let url: String
    /// Only events of these types; none: all.
    public let types: [String]
    /// Only events of these namespaces; none: all.
    public let namespaces: [String]
    /// Only events of these tasks; none: all.
    public let tasks: [String]
    /// The name of the secret that signs the events.
    public let secret: String?
    /// `active`, `failing` or `disabled`.
    public let state: String
    /// The number of the last event that it has.
    public let after: Int
    /// How many events it is behind.
    public let lag: Int
    public let sent: Int
    public let failed: Int
    public let lastError: String?
    public let created: Timestamp?
    public let nextTry: Timestamp?
    public let disabled: Timestamp?
    /// All that the server has said.
    public let json: JSON

    init(_ json: JSON) throws(BadAnswer) {
        (id, url, state) = (try json.text("id"), try json.text("url"), try json.text("state"))
        (types, namespaces, tasks) = (json.texts("types"), json.texts("namespaces"), json.texts("tasks"))
        (secret, lastError) = (json["secret"]?.string, json["last_error"]?.string)
        (after, lag) = (try json.number("after"), try json.number("lag"))
        (sent, failed) = (json.count("sent") ?? 0, json.count("failed") ?? 0)
        (created, nextTry) = (json.time("created_at"), json.time("next_try_at"))
        disabled = json.time("disabled_at")
        self.json = json
    }
}
