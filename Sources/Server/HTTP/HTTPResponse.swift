package import StepwellModel

/// What is answered to a request.
package struct HTTPResponse: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// A body without an end, written as things happen.
        case stream(any BodySource)
    }

    package var status: Int
    package var contentType: String
    package var headers: [(name: String, value: String)] = []
    package var body: Body
    /// Who has asked; for whoever keeps a log of requests.
    package var actor = ""
    /// What was wrong.
    package var problem: (code: String, message: String)?

    package init(_ status: Int = 200, contentType: String, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = .bytes(body)
    }

    package init(_ status: Int = 200, json: JSONText) {
        self.init(status, contentType: "application/json", body: json.bytes)
    }

    package init(_ status: Int = 200, json: JSON) {
        self.init(status, json: JSONText(json))
    }

    package init(stream: any BodySource, contentType: String) {
        status = 200
        self.contentType = contentType
        body = .stream(stream)
    }

    package static let noContent = HTTPResponse(204, contentType: "", body: [])
}

/// Where a body without an end comes from.
package protocol BodySource: AnyObject, Sendable {
    /// The next bytes, at most so many; empty when there are none now, nil at the end. When there are none, `wake` is to be called
    /// once there are; it may be called more often.
    func next(_ countMax: Int, wake: @escaping @Sendable () -> Void) -> [UInt8]?
    /// The client is gone.
    func end()
}
