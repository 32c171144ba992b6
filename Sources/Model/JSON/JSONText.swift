/// The bytes of one JSON value, checked once and then kept as they came. Inputs and results travel in this form: what a
/// handler wrote is what is logged, shown and handed on.
public struct JSONText: Hashable, Sendable, CustomStringConvertible {
    public let bytes: [UInt8]

    /// Checks the bytes.
    /// - Throws: ``JSONError`` with the place of the first fault.
    public init(_ bytes: [UInt8]) throws(JSONError) {
        try JSONParser.validate(bytes)
        self.bytes = bytes
    }

    public init(_ text: String) throws(JSONError) {
        try self.init(Array(text.utf8))
    }

    /// Takes bytes that are known to be JSON: a slice of what the parser has passed, or what the log has kept.
    package init(trusted bytes: [UInt8]) {
        self.bytes = bytes
    }

    public init(_ json: JSON) {
        bytes = json.encoded
    }

    public static let null = JSONText(trusted: Array("null".utf8))
    public static let emptyObject = JSONText(trusted: Array("{}".utf8))

    /// The value that the bytes hold.
    public var json: JSON {
        (try? JSONParser.parse(bytes)) ?? .null
    }

    public var description: String { String(decoding: bytes, as: UTF8.self) }
}
