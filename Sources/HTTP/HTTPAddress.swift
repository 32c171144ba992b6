/// Where a server is: `http://host:port`, `https://host:port`, or `unix:PATH`.
public struct HTTPAddress: Hashable, Sendable, CustomStringConvertible {
    /// As it was given.
    public let description: String
    /// What stands before the path of every request.
    let base: String
    /// The socket to connect to in place of a host.
    let socket: String?

    /// Of a path, as the system has it.
    private static let pathBytesMax = 4095

    /// - Throws: ``HTTPError/badAddress(_:reason:)``.
    public init(_ text: String) throws(HTTPError) {
        description = text
        guard text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F }) || text.hasPrefix("unix:") else {
            throw .badAddress(text, reason: "it holds spaces or control characters")
        }
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            guard !path.isEmpty, path.utf8.count <= Self.pathBytesMax, !path.utf8.contains(0) else {
                throw .badAddress(text, reason: "the path of a socket has 1 to \(Self.pathBytesMax) bytes")
            }
            (base, socket) = ("http://localhost", path)
            return
        }
        guard text.hasPrefix("http://") || text.hasPrefix("https://") else {
            throw .badAddress(text, reason: "it begins with none of http://, https://, unix:")
        }
        var trimmed = Substring(text)
        while trimmed.last == "/" { trimmed.removeLast() }
        let host = trimmed.drop { $0 != ":" }.dropFirst(3)
        guard !host.isEmpty, host.first != "/", !host.contains(where: { "?#@".contains($0) }) else {
            throw .badAddress(text, reason: "it names no host alone")
        }
        (base, socket) = (String(trimmed), nil)
    }
}
