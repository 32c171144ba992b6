/// What is known of a task from the moment it is submitted; it never changes after.
public struct Submission: Hashable, Sendable {
    public var template: TemplateDigest
    public var namespace: String
    public var name: String
    public var version: String
    public var environment: String?
    /// A JSON object, kept byte for byte.
    public var input: JSONText
    /// -100 to 100; a greater number goes first.
    public var priority: Int
    /// The identity key: of the tasks of one (namespace, name) with the same key, only the newest is found by it.
    public var key: String?
    public var correlationID: String
    public var parentCorrelationID: String?
    public var initiator: String?
    public var sourceSystem: String?
    public var reason: String?
    public var tags: [String]

    public init(
        template: TemplateDigest, namespace: String, name: String, version: String, environment: String? = nil,
        input: JSONText = .emptyObject, priority: Int = 0, key: String? = nil, correlationID: String,
        parentCorrelationID: String? = nil, initiator: String? = nil, sourceSystem: String? = nil,
        reason: String? = nil, tags: [String] = []
    ) {
        self.template = template
        self.namespace = namespace
        self.name = name
        self.version = version
        self.environment = environment
        self.input = input
        self.priority = priority
        self.key = key
        self.correlationID = correlationID
        self.parentCorrelationID = parentCorrelationID
        self.initiator = initiator
        self.sourceSystem = sourceSystem
        self.reason = reason
        self.tags = tags
    }
}
