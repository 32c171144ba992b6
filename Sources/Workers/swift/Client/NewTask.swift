public import StepwellModel

/// A task to be submitted: of which template, and with what.
public struct NewTask: Sendable {
    /// The template's name.
    public var name: String
    public var namespace: String
    /// Nil: the newest version.
    public var version: String?
    /// The task's input, an object.
    public var context: JSONText
    /// -100 to 100, a greater number goes first; nil: what the template says.
    public var priority: Int?
    public var tags: [String] = []
    public var correlationID: String?
    public var parentCorrelationID: String?
    /// The same key gives the same task, however often it is sent.
    public var idempotencyKey: String?
    /// With a key that has a task already: another one, which the key then names.
    public var replace = false
    /// Nil: the client's.
    public var initiator: String?
    /// Nil: the client's.
    public var sourceSystem: String?
    public var reason: String?

    public init(
        name: String, namespace: String = "default", version: String? = nil, context: JSON = [:],
        idempotencyKey: String? = nil
    ) {
        self.init(name: name, namespace: namespace, version: version, text: JSONText(context))
        self.idempotencyKey = idempotencyKey
    }

    /// With any value that encodes to a JSON object as its input.
    /// - Throws: what the value's encoding throws.
    public init(
        name: String, namespace: String = "default", version: String? = nil, encoding context: some Encodable,
        idempotencyKey: String? = nil
    ) throws {
        self.init(name: name, namespace: namespace, version: version, text: try JSONText(encoding: context))
        self.idempotencyKey = idempotencyKey
    }

    private init(name: String, namespace: String, version: String?, text: JSONText) {
        (self.name, self.namespace, self.version, context) = (name, namespace, version, text)
    }

    /// Sent twice it is still one task.
    var isRepeatable: Bool { idempotencyKey != nil && !replace }

    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("name", name)
        json.member("namespace", namespace)
        json.member("context", context)
        if let priority { json.member("priority", priority) }
        if !tags.isEmpty { json.member("tags", .array(tags.map(JSON.string))) }
        if replace { json.member("replace", true) }
        for (member, value) in [
            ("version", version), ("correlation_id", correlationID), ("parent_correlation_id", parentCorrelationID),
            ("idempotency_key", idempotencyKey), ("initiator", initiator), ("source_system", sourceSystem),
            ("reason", reason),
        ] {
            if let value { json.member(member, value) }
        }
        json.endObject()
    }
}
