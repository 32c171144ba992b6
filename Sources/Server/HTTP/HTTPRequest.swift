import StepwellModel

/// One request, whole: its body has been read.
package struct HTTPRequest: Sendable {
    package var method: String
    /// The parts of the path between its slashes, decoded.
    package var path: [String]
    package var query: [(name: String, value: String)]
    /// By their names in lower case; of those that the server has a use for.
    package var headers: [String: String]
    package var body: [UInt8]
    /// The address of the connection's other end, or `unix`.
    package var remote = ""

    package init(
        method: String, path: [String], query: [(name: String, value: String)] = [], headers: [String: String] = [:],
        body: [UInt8] = []
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
    }

    /// The first value of that name in the query.
    package func queried(_ name: String) -> String? { query.first { $0.name == name }?.value }

    /// The headers that are kept.
    static let headersKept = [
        "authorization", "content-type", "last-event-id", "accept", "x-stepwell-actor", "traceparent", "host", "origin",
    ]
}

extension HTTPRequest {
    /// The parts of a path or query as a client wrote it; nil when its escapes or its UTF-8 are wrong.
    static func decoded(_ text: some Sequence<UInt8>, plusIsSpace: Bool = false) -> String? {
        var bytes: [UInt8] = []
        var rest = text.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next()?.hexDigit, let low = rest.next()?.hexDigit else { return nil }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    static func parts(ofPath path: [UInt8]) -> [String]? {
        var parts: [String] = []
        for part in path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: true) {
            guard let text = decoded(part) else { return nil }
            parts.append(text)
        }
        return parts
    }
}
