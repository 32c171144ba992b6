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
    /// Set when the task is a fork: the task whose results it adopts.
    public var forkedFrom: TaskID?
    /// The steps whose results it adopts, in the template's order. They are not run.
    public var adopted: [StepIndex]
    /// W3C `traceparent` of the span that the task was submitted within: its own spans are below it.
    public var traceparent: String?

    public init(
        template: TemplateDigest, namespace: String, name: String, version: String, environment: String? = nil,
        input: JSONText = .emptyObject, priority: Int = 0, key: String? = nil, correlationID: String,
        parentCorrelationID: String? = nil, initiator: String? = nil, sourceSystem: String? = nil,
        reason: String? = nil, tags: [String] = [], forkedFrom: TaskID? = nil, adopted: [StepIndex] = [],
        traceparent: String? = nil
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
        self.forkedFrom = forkedFrom
        self.adopted = adopted
        self.traceparent = traceparent
    }
}

extension Submission {
    /// The longest identity key, in bytes of UTF-8.
    public static let keyBytesMax = 512

    /// Why that may not be an identity key; nil if it may. Keys are typed, and stand in tables.
    package static func fault(ofKey key: String) -> String? {
        if key.isEmpty { return "is empty" }
        if key.utf8.count > keyBytesMax { return "has \(key.utf8.count) bytes; at most \(keyBytesMax) are allowed" }
        // Of the C0 and C1 controls, and the delete character.
        let isControl = key.unicodeScalars.contains { $0.value < 0x20 || 0x7F...0x9F ~= $0.value }
        return isControl ? "holds a control character, such as a line break" : nil
    }
}
