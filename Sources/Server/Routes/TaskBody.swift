import Stepwell
import StepwellEngine
import StepwellModel

/// A task that a client asks for.
struct TaskBody {
    var name: String
    var namespace: String
    var version: String?
    var input: JSONText
    var options: SubmitOptions
    private let scope: NamespaceScope

    private static let members = [
        "name", "namespace", "version", "context", "priority", "tags", "correlation_id", "parent_correlation_id",
        "idempotency_key", "replace", "initiator", "source_system", "reason", "traceparent",
    ]
    private static let tagsMax = 100
    private static let textBytesMax = 4096

    /// - Parameters:
    ///   - range: where in the body the task stands; nil: it is all of it.
    ///   - traceparent: that of the request, when the body has none.
    init(_ body: [UInt8], in range: Range<Int>? = nil, _ identity: Identity, traceparent: String?) throws(Problem) {
        scope = identity.namespaces
        do throws(Malformed) {
            let reader = try MessageReader(body, in: range)
            try reader.allowOnly(Self.members)
            name = try reader.string("name")
            namespace = try reader.optionalString("namespace") ?? "default"
            version = try reader.optionalString("version")
            input = try reader.optionalObject("context") ?? .emptyObject
            let priority = try reader.optionalInteger("priority")
            guard -100...100 ~= priority ?? 0 else { throw Malformed("'priority' must be -100 to 100") }
            options = SubmitOptions(
                key: try Self.text(reader, "idempotency_key"), replacing: try reader.optionalBool("replace") ?? false,
                priority: priority.map { Int($0) }, correlationID: try Self.text(reader, "correlation_id"),
                tags: try reader.optionalStrings("tags"), initiator: try Self.text(reader, "initiator"),
                sourceSystem: try Self.text(reader, "source_system"), reason: try Self.text(reader, "reason"),
                actor: identity.actor(.client))
            options.parentCorrelationID = try Self.text(reader, "parent_correlation_id")
            // What came with the request is for whoever can use it; what the body names is meant.
            options.traceparent = traceparent.flatMap { TraceContext(traceparent: $0)?.traceparent }
            if let text = try reader.optionalString("traceparent") {
                guard let context = TraceContext(traceparent: text) else {
                    throw Malformed("'traceparent' is none: 00-TRACE-SPAN-FLAGS, in small hexadecimal digits")
                }
                options.traceparent = context.traceparent
            }
            guard options.tags.count <= Self.tagsMax, options.tags.allSatisfy({ $0.utf8.count <= Self.textBytesMax })
            else {
                throw Malformed(
                    "'tags' has more than \(Self.tagsMax) entries, or a longer one than \(Self.textBytesMax) bytes")
            }
        } catch { throw .malformed("the body: \(error.reason)") }
        guard identity.namespaces.includes(namespace) else {
            throw Problem(403, "not_allowed", "the token does not allow tasks in the namespace '\(namespace)'")
        }
        if let fault = options.key.flatMap(Submission.fault) { throw Problem(Rejection.invalidKey(fault)) }
    }

    private static func text(_ reader: MessageReader, _ name: String) throws(Malformed) -> String? {
        let text = try reader.optionalString(name)
        if let text, text.utf8.count > textBytesMax {
            throw Malformed("'\(name)' is longer than \(textBytesMax) bytes")
        }
        return text
    }

    /// The command, and the id that the task will have.
    /// - Throws: ``CatalogError``, ``InputError``, or ``EngineError``.
    func command(_ service: Service) throws -> (id: TaskID, command: Command) {
        let template = try service.catalog.find(namespace: namespace, name: name, version: version, for: scope)
        try Engine.check(template, input: input)
        let id = service.engine.newTaskID()
        let submission = Submission(template, input, options, id)
        return (id, .submitTask(id, submission, template, known: nil, replacing: options.replacing))
    }
}
