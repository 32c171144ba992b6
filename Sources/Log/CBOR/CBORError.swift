/// Why bytes are not what a writer of deterministic CBOR makes, and where.
package struct CBORError: Error, Hashable, CustomStringConvertible {
    package enum Reason: UInt8, Hashable, Sendable {
        case truncated
        case trailing
        case notShortest
        case indefinite
        case reserved
        case unordered
        case tooDeep
        case notUTF8
        case unexpectedType
        case outOfRange
        case missing
        case checksum
    }

    package var reason: Reason
    /// Bytes before the fault.
    package var offset: Int

    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    package var description: String {
        let what =
            switch reason {
            case .truncated: "the bytes end too early"
            case .trailing: "more bytes after the value"
            case .notShortest: "a number in a longer form than needed"
            case .indefinite: "a length left open"
            case .reserved: "a reserved first byte"
            case .unordered: "map keys out of order"
            case .tooDeep: "nested too deep"
            case .notUTF8: "a text that is not UTF-8"
            case .unexpectedType: "a value of an unexpected type"
            case .outOfRange: "a number out of range"
            case .missing: "a required key is missing"
            case .checksum: "the checksum does not match"
            }
        return "\(what), at byte \(offset)"
    }
}
