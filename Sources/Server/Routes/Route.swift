import StepwellModel

/// One thing that the server can be asked: its address, who may ask, what it takes and gives, and what it does. The OpenAPI
/// document is made from these, so that it cannot say anything else.
struct Route: Sendable {
    /// What a route does with a request.
    enum Action: Sendable {
        /// Answers at once.
        case now(@Sendable (Call) throws -> HTTPResponse)
        /// Reads much, on a thread of its own.
        case slow(@Sendable (Call) throws -> HTTPResponse)
        /// Waits for the disk, or for something to happen.
        case later(@Sendable (Call) async throws -> HTTPResponse)
        /// The same without a Swift task of its own, for what happens very often.
        case direct(@Sendable (Call, @escaping HTTPServer.Answer) throws -> Void)
        /// The same for an answer that may be long in coming. Gives what to call when nobody wants it any more.
        case waiting(@Sendable (Call, @escaping HTTPServer.Answer) -> HTTPServer.Abandon?)
    }

    var method: String
    /// Such as `/v1/tasks/{task}`.
    var path: String
    var operation: Operation
    var permission: Permission
    var bodyBytesMax: Int?
    var action: Action

    init(
        _ method: String, _ path: String, _ permission: Permission, _ operation: Operation, bodyBytesMax: Int? = nil,
        _ action: Action
    ) {
        self.method = method
        self.path = path
        self.permission = permission
        self.operation = operation
        self.bodyBytesMax = bodyBytesMax
        self.action = action
    }
}

/// What a route says of itself.
struct Operation: Sendable {
    struct Parameter: Sendable {
        var name: String
        var summary: String
        /// A JSON Schema.
        var schema: JSON
        var isHeader = false

        init(_ name: String, _ summary: String, _ schema: JSON = ["type": "string"], isHeader: Bool = false) {
            self.name = name
            self.summary = summary
            self.schema = schema
            self.isHeader = isHeader
        }
    }

    /// What a body holds.
    struct Content: Sendable {
        var type: String
        /// A JSON Schema, or a reference to one of ``Schemas``.
        var schema: JSON
        var example: JSON?
        var isRequired = true
        /// Whether it can be had for people too, with `Accept: text/plain`.
        var hasText = false

        /// What people can have as text.
        static func shown(_ name: String) -> Content {
            var content = json(name)
            content.hasText = true
            return content
        }

        /// A drawing: an object, or text for people or for programs that draw.
        static let drawing = Content(type: "application/json", schema: ["type": "object"], hasText: true)

        static let text = Content(type: "text/plain", schema: ["type": "string"])

        static func json(_ name: String, example: JSON? = nil, isRequired: Bool = true) -> Content {
            Content(
                type: "application/json", schema: Schemas.reference(name), example: example, isRequired: isRequired)
        }
    }

    var id: String
    var tag: String
    var summary: String
    var details: String?
    var query: [Parameter] = []
    var body: Content?
    /// The statuses of success, and what comes with them.
    var answers: [(status: Int, summary: String, content: Content?)]
    /// The statuses of failure, besides those that every route has.
    var problems: [Int] = []
}

/// A request at its route.
struct Call: Sendable {
    let service: Service
    let request: HTTPRequest
    /// The parts of the path that the route leaves open.
    let parameters: [String: String]
    let identity: Identity

    subscript(name: String) -> String { parameters[name] ?? "" }
}
