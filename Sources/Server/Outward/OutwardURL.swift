import StepwellHTTP
import StepwellModel

/// Where requests go: `http://…` or `https://…`, taken apart into the server and what it is asked for.
struct OutwardURL: Hashable, Sendable {
    let description: String
    let server: HTTPAddress
    /// From the `/` on, with the query.
    let path: String

    /// - Throws: ``HTTPError/badAddress(_:reason:)``.
    init(_ text: String) throws(HTTPError) {
        guard let scheme = ["https://", "http://"].first(where: { text.hasPrefix($0) }) else {
            throw .badAddress(text, reason: "it begins with neither https:// nor http://")
        }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !text.contains("#") else {
            throw .badAddress(text, reason: "it holds spaces, '#', or letters that must be escaped")
        }
        let rest = text.dropFirst(scheme.count)
        let end = rest.firstIndex { "/?".contains($0) } ?? rest.endIndex
        server = try HTTPAddress(scheme + rest[..<end])
        let path = String(rest[end...])
        self.path = path.hasPrefix("/") ? path : "/" + path
        description = text
    }
}
