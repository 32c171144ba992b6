/// What a text stands for that a template gives to a handler: itself, or a secret that is looked up when an attempt starts.
package enum SettingText: Hashable, Sendable {
    case literal(String)
    /// `secret:NAME`
    case secret(String)
    /// It begins as a secret does, but what follows can be no name.
    case badName(String)

    package static let prefix = "secret:"
    private static let nameBytesMax = 128

    /// - Parameter text: `secret:NAME`, or any other text. A text that is to begin with `secret:` itself is written with one
    ///   colon more: `secret::x` stands for `secret:x`.
    package init(_ text: String) {
        guard text.hasPrefix(Self.prefix) else {
            self = .literal(text)
            return
        }
        let rest = text.dropFirst(Self.prefix.count)
        if rest.hasPrefix(":") {
            self = .literal(Self.prefix + rest.dropFirst())
        } else {
            self = Self.isName(rest.utf8) ? .secret(String(rest)) : .badName(String(rest))
        }
    }

    /// Whether it can name a file and, with small changes, an environment variable.
    private static func isName(_ name: Substring.UTF8View) -> Bool {
        guard let first = name.first, first != UInt8(ascii: "."), name.count <= nameBytesMax else { return false }
        return name.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }
}

extension JSON {
    /// Whether it is an object or an array.
    package var isStructure: Bool { array != nil || members != nil }

    /// The value with every text in it replaced; the names of members stay.
    package func mapTexts<Failure>(_ change: (String) throws(Failure) -> String) throws(Failure) -> JSON {
        switch self {
        case .null, .bool, .number: return self
        case .string(let text): return .string(try change(text))
        case .array(let elements):
            var result: [JSON] = []
            result.reserveCapacity(elements.count)
            for element in elements { result.append(try element.mapTexts(change)) }
            return .array(result)
        case .object(let members):
            var result: [Member] = []
            result.reserveCapacity(members.count)
            for member in members { result.append(Member(member.name, try member.value.mapTexts(change))) }
            return .object(result)
        }
    }
}
