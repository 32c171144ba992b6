/// Reads JSON by RFC 8259: strict, without recursion beyond ``depthMax``, numbers left as text.
///
/// No JSON library at hand keeps the text of a number or the bytes of a member, and both must pass through unchanged.
package struct JSONParser {
    /// Arrays and objects within each other. Deeper text is refused: each level costs stack.
    package static let depthMax = 512

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position: Int
    private var depth = 0

    private init(_ bytes: UnsafeBufferPointer<UInt8>, from position: Int) {
        self.bytes = bytes
        self.position = position
    }

    /// The value that the bytes hold, or those of a range. All places that are told are those of the whole.
    package static func parse(_ bytes: [UInt8], in range: Range<Int>? = nil) throws(JSONError) -> JSON {
        try whole(bytes, range) { parser throws(JSONError) in try parser.value() }
    }

    package static func parse(_ text: String) throws(JSONError) -> JSON {
        try parse(Array(text.utf8))
    }

    /// Throws unless the bytes are one JSON value.
    package static func validate(_ bytes: [UInt8]) throws(JSONError) {
        try whole(bytes, nil) { parser throws(JSONError) in try parser.skipValue() }
    }

    /// The members of an object, each with the range of its value's bytes. The whole text is checked.
    package static func members(
        _ bytes: [UInt8], in range: Range<Int>? = nil
    ) throws(JSONError) -> [(name: String, value: Range<Int>)] {
        try whole(bytes, range) { parser throws(JSONError) in
            guard parser.peek() == UInt8(ascii: "{") else { throw parser.fault("expected an object") }
            var found: [(name: String, value: Range<Int>)] = []
            try parser.eachMember { (parser, name) throws(JSONError) in
                let start = parser.position
                try parser.skipValue()
                found.append((name, start..<parser.position))
            }
            return found
        }
    }

    /// The ranges of the elements of an array. The whole text is checked.
    package static func elements(_ bytes: [UInt8], in range: Range<Int>? = nil) throws(JSONError) -> [Range<Int>] {
        try whole(bytes, range) { parser throws(JSONError) in
            guard parser.peek() == UInt8(ascii: "[") else { throw parser.fault("expected an array") }
            var found: [Range<Int>] = []
            try parser.eachElement { parser throws(JSONError) in
                let start = parser.position
                try parser.skipValue()
                found.append(start..<parser.position)
            }
            return found
        }
    }

    private static func whole<Result>(
        _ bytes: [UInt8], _ range: Range<Int>?, _ body: (inout JSONParser) throws(JSONError) -> Result
    ) throws(JSONError) -> Result {
        try bytes.withUnsafeBufferPointer { buffer throws(JSONError) in
            let end = range?.upperBound ?? buffer.count
            var parser = JSONParser(
                UnsafeBufferPointer(rebasing: buffer[..<end]), from: range?.lowerBound ?? 0)
            parser.skipSpace()
            let result = try body(&parser)
            parser.skipSpace()
            guard parser.position == end else { throw parser.fault("more after the value") }
            return result
        }
    }

    // MARK: Values

    private mutating func value() throws(JSONError) -> JSON {
        switch peek() {
        case UInt8(ascii: "{"):
            var members: [JSON.Member] = []
            try eachMember { (parser, name) throws(JSONError) in
                members.append(JSON.Member(name, try parser.value()))
            }
            return .object(members)
        case UInt8(ascii: "["):
            var elements: [JSON] = []
            try eachElement { parser throws(JSONError) in elements.append(try parser.value()) }
            return .array(elements)
        case UInt8(ascii: "\""):
            return .string(try string())
        case UInt8(ascii: "t"):
            try literal("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try literal("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        default:
            let start = position
            try skipNumber()
            return .number(String(decoding: bytes[start..<position], as: UTF8.self))
        }
    }

    private mutating func skipValue() throws(JSONError) {
        switch peek() {
        case UInt8(ascii: "{"):
            try eachMember(named: false) { (parser, _) throws(JSONError) in try parser.skipValue() }
        case UInt8(ascii: "["): try eachElement { parser throws(JSONError) in try parser.skipValue() }
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default: try skipNumber()
        }
    }

    private mutating func eachMember(
        named: Bool = true, _ body: (inout JSONParser, String) throws(JSONError) -> Void
    ) throws(JSONError) {
        try enter()
        skipSpace()
        if take(UInt8(ascii: "}")) { return leave() }
        while true {
            guard peek() == UInt8(ascii: "\"") else { throw fault("expected a member's name") }
            var name = ""
            if named { name = try string() } else { try skipString() }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw fault("expected ':'") }
            skipSpace()
            try body(&self, name)
            skipSpace()
            if take(UInt8(ascii: "}")) { return leave() }
            guard take(UInt8(ascii: ",")) else { throw fault("expected ',' or '}'") }
            skipSpace()
        }
    }

    private mutating func eachElement(_ body: (inout JSONParser) throws(JSONError) -> Void) throws(JSONError) {
        try enter()
        skipSpace()
        if take(UInt8(ascii: "]")) { return leave() }
        while true {
            try body(&self)
            skipSpace()
            if take(UInt8(ascii: "]")) { return leave() }
            guard take(UInt8(ascii: ",")) else { throw fault("expected ',' or ']'") }
            skipSpace()
        }
    }

    private mutating func enter() throws(JSONError) {
        guard depth < Self.depthMax else { throw fault("nested deeper than \(Self.depthMax) levels") }
        depth += 1
        position += 1
    }

    private mutating func leave() { depth -= 1 }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> String {
        let start = position + 1
        let escaped = try skipString()
        let inner = UnsafeBufferPointer(rebasing: bytes[start..<position - 1])
        return escaped ? try unescape(inner, at: start) : String(decoding: inner, as: UTF8.self)
    }

    /// Passes over a string and checks it: escapes, control characters and UTF-8. Says whether it holds an escape.
    @discardableResult
    private mutating func skipString() throws(JSONError) -> Bool {
        position += 1
        var escaped = false
        var ascii = true
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                if !ascii {
                    guard isValidUTF8(UnsafeBufferPointer(rebasing: bytes[start..<position])) else {
                        throw JSONError("a string that is not UTF-8", at: start)
                    }
                }
                position += 1
                return escaped
            case UInt8(ascii: "\\"):
                escaped = true
                try skipEscape()
            case 0..<0x20: throw fault("a control character in a string")
            default:
                if byte >= 0x80 { ascii = false }
                position += 1
            }
        }
        throw fault("a string without an end")
    }

    private mutating func skipEscape() throws(JSONError) {
        guard position + 1 < bytes.count else { throw fault("a string without an end") }
        switch bytes[position + 1] {
        case UInt8(ascii: "u"):
            guard position + 5 < bytes.count, hex(bytes, at: position + 2) != nil else {
                throw fault("a \\u without four hexadecimal digits")
            }
            position += 6
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        default: throw fault("an unknown escape")
        }
    }

    private func unescape(_ inner: UnsafeBufferPointer<UInt8>, at start: Int) throws(JSONError) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(inner.count)
        var index = 0
        while index < inner.count {
            guard inner[index] == UInt8(ascii: "\\") else {
                result.append(inner[index])
                index += 1
                continue
            }
            switch inner[index + 1] {
            case UInt8(ascii: "u"):
                var code = hex(inner, at: index + 2) ?? 0
                index += 6
                if 0xD800..<0xDC00 ~= code, index + 5 < inner.count, inner[index] == UInt8(ascii: "\\"),
                    inner[index + 1] == UInt8(ascii: "u"), let low = hex(inner, at: index + 2), 0xDC00..<0xE000 ~= low
                {
                    code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                    index += 6
                }
                // A lone surrogate has no scalar; the replacement character stands for it.
                let scalar = UnicodeScalar(code) ?? "\u{FFFD}"
                result.append(contentsOf: String(Character(scalar)).utf8)
                continue
            case UInt8(ascii: "b"): result.append(8)
            case UInt8(ascii: "f"): result.append(12)
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "r"): result.append(13)
            case UInt8(ascii: "t"): result.append(9)
            case let other: result.append(other)
            }
            index += 2
        }
        return String(decoding: result, as: UTF8.self)
    }

    // MARK: Numbers and literals

    private mutating func skipNumber() throws(JSONError) {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) {
            guard skipDigits() else {
                position = start
                throw fault("expected a value")
            }
        }
        if take(UInt8(ascii: ".")) {
            guard skipDigits() else { throw fault("a number that ends with a point") }
        }
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            position += 1
            if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
            guard skipDigits() else { throw fault("a number without its exponent") }
        }
    }

    private mutating func skipDigits() -> Bool {
        let start = position
        while let byte = peek(), UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte { position += 1 }
        return position > start
    }

    private mutating func literal(_ word: StaticString) throws(JSONError) {
        let count = word.utf8CodeUnitCount
        let expected = UnsafeBufferPointer(start: word.utf8Start, count: count)
        guard position + count <= bytes.count, bytes[position..<position + count].elementsEqual(expected) else {
            throw fault("expected a value")
        }
        position += count
    }

    // MARK: Bytes

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private func fault(_ reason: String) -> JSONError {
        JSONError(position >= bytes.count ? "the text ends too early (\(reason))" : reason, at: position)
    }
}

private func hex(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> UInt32? {
    var code: UInt32 = 0
    for index in start..<start + 4 {
        guard index < bytes.count, let digit = bytes[index].hexDigit else { return nil }
        code = code << 4 | UInt32(digit)
    }
    return code
}

private func isValidUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    String(validating: bytes, as: UTF8.self) != nil
}
