/// What a plain scalar means by the core schema of YAML 1.2. There are no further booleans: `yes`, `no`, `on` and `off` are
/// text, and a date is text.
enum YAMLScalar: Hashable {
    case null
    case bool(Bool)
    /// A whole number, as JSON writes it.
    case integer(String)
    /// A number with a fraction or an exponent, as JSON writes it.
    case decimal(String)
    /// `.inf` or `.nan`, which JSON does not have.
    case notFinite
    case text

    init(plain text: String) {
        // Most text is told from its first letter.
        switch text.utf8.first {
        case nil: self = .null
        case Self.point, Self.plus, Self.minus: self = Self.words[text] ?? Self.number(text) ?? .text
        case let first? where Self.isDigit(first): self = Self.number(text) ?? .text
        case let first? where Self.beginsWord(first): self = Self.words[text] ?? .text
        default: self = .text
        }
    }

    private static func beginsWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "~"), UInt8(ascii: "n"), UInt8(ascii: "N"), UInt8(ascii: "t"), UInt8(ascii: "T"),
            UInt8(ascii: "f"), UInt8(ascii: "F"):
            true
        default: false
        }
    }

    private static let words: [String: YAMLScalar] = [
        "~": .null, "null": .null, "Null": .null, "NULL": .null,
        "true": .bool(true), "True": .bool(true), "TRUE": .bool(true),
        "false": .bool(false), "False": .bool(false), "FALSE": .bool(false),
        ".inf": .notFinite, ".Inf": .notFinite, ".INF": .notFinite, "+.inf": .notFinite, "+.Inf": .notFinite,
        "+.INF": .notFinite, "-.inf": .notFinite, "-.Inf": .notFinite, "-.INF": .notFinite,
        ".nan": .notFinite, ".NaN": .notFinite, ".NAN": .notFinite,
    ]

    private static func number(_ text: String) -> YAMLScalar? {
        if text.hasPrefix("0x") { return based(text, 16) }
        if text.hasPrefix("0o") { return based(text, 8) }
        return decimalNumber(Array(text.utf8))
    }

    /// `0x1F`, `0o17`; more than 64 bits stay text.
    private static func based(_ text: String, _ radix: Int) -> YAMLScalar? {
        guard let third = text.utf8.dropFirst(2).first, third != plus, third != minus else { return nil }
        return UInt64(text.dropFirst(2), radix: radix).map { .integer(String($0)) }
    }

    /// `[-+]? ( . digits | digits ( . digits? )? ) ( [eE] [-+]? digits )?`, brought to JSON's form: no `+`, no zero before
    /// other digits, digits on both sides of the point.
    private static func decimalNumber(_ text: [UInt8]) -> YAMLScalar? {
        var rest = text[...]
        var json: [UInt8] = []
        if rest.first == minus { json.append(minus) }
        if rest.first == minus || rest.first == plus { rest.removeFirst() }

        let whole = rest.prefix(while: isDigit)
        rest = rest.dropFirst(whole.count)
        let significant = whole.drop { $0 == zero }
        json += significant.isEmpty ? [zero] : significant

        var isInteger = true
        if rest.first == point {
            rest.removeFirst()
            let fraction = rest.prefix(while: isDigit)
            rest = rest.dropFirst(fraction.count)
            guard !whole.isEmpty || !fraction.isEmpty else { return nil }
            json += [point]
            json += fraction.isEmpty ? [zero] : fraction
            isInteger = false
        } else if whole.isEmpty {
            return nil
        }
        if let letter = rest.first, letter | 0x20 == UInt8(ascii: "e") {
            rest.removeFirst()
            json.append(letter)
            if let sign = rest.first, sign == minus || sign == plus {
                rest.removeFirst()
                json.append(sign)
            }
            let exponent = rest.prefix(while: isDigit)
            guard !exponent.isEmpty else { return nil }
            rest = rest.dropFirst(exponent.count)
            json += exponent
            isInteger = false
        }
        guard rest.isEmpty else { return nil }
        let number = String(decoding: json, as: UTF8.self)
        return isInteger ? .integer(number) : .decimal(number)
    }

    private static let zero = UInt8(ascii: "0")
    private static let minus = UInt8(ascii: "-")
    private static let plus = UInt8(ascii: "+")
    private static let point = UInt8(ascii: ".")

    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
}
