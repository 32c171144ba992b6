extension JSON {
    /// The value as compact JSON.
    public var encoded: [UInt8] {
        var writer = JSONWriter()
        writer.write(self)
        return writer.bytes
    }

    /// The value as JSON on several lines, two spaces a level.
    public var pretty: String {
        var writer = JSONWriter()
        writer.write(self, indent: 0)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

/// Builds JSON text piece by piece, without building a value first: what a message needs that is written 10,000 times a second.
package struct JSONWriter {
    package var bytes: [UInt8] = []
    private var needsComma = false

    /// - Parameter capacity: about how many bytes it will be.
    package init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    package mutating func beginObject() { open("{") }
    package mutating func endObject() { close("}") }
    package mutating func beginArray() { open("[") }
    package mutating func endArray() { close("]") }

    package mutating func name(_ name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func member(_ name: String, _ value: String) {
        self.name(name)
        string(value)
    }

    // Not generic: another module would call it by way of tables, for each of its digits.
    package mutating func member(_ name: String, _ value: Int64) {
        self.name(name)
        raw(String(value).utf8)
    }

    package mutating func member(_ name: String, _ value: UInt64) {
        self.name(name)
        raw(String(value).utf8)
    }

    package mutating func member(_ name: String, _ value: Int) { member(name, Int64(value)) }
    package mutating func member(_ name: String, _ value: UInt32) { member(name, UInt64(value)) }

    package mutating func member(_ name: String, _ value: Bool) {
        self.name(name)
        raw((value ? "true" : "false").utf8)
    }

    /// A member whose value is JSON already.
    package mutating func member(_ name: String, _ value: JSONText) {
        self.name(name)
        raw(value.bytes)
    }

    package mutating func member(_ name: String, _ value: JSON) {
        self.name(name)
        write(value)
    }

    package mutating func string(_ value: String) {
        separate()
        quote(value)
        needsComma = true
    }

    /// A value that is JSON already.
    package mutating func raw(_ json: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
        needsComma = true
    }

    package mutating func write(_ value: JSON) {
        switch value {
        case .null: raw("null".utf8)
        case .bool(let flag): raw((flag ? "true" : "false").utf8)
        case .number(let text): raw(text.utf8)
        case .string(let text): string(text)
        case .array(let elements):
            beginArray()
            for element in elements { write(element) }
            endArray()
        case .object(let members):
            beginObject()
            for member in members { self.member(member.name, member.value) }
            endObject()
        }
    }

    fileprivate mutating func write(_ value: JSON, indent: Int) {
        switch value {
        case .array(let elements) where !elements.isEmpty:
            lines(elements, open: "[", close: "]", indent: indent) { writer, element in
                writer.write(element, indent: indent + 1)
            }
        case .object(let members) where !members.isEmpty:
            lines(members, open: "{", close: "}", indent: indent) { writer, member in
                writer.quote(member.name)
                writer.bytes.append(contentsOf: ": ".utf8)
                writer.write(member.value, indent: indent + 1)
            }
        default:
            needsComma = false
            write(value)
            needsComma = false
        }
    }

    private mutating func lines<Element>(
        _ elements: [Element], open: String, close: String, indent: Int,
        each: (inout JSONWriter, Element) -> Void
    ) {
        bytes.append(contentsOf: open.utf8)
        for (index, element) in elements.enumerated() {
            bytes.append(contentsOf: (index == 0 ? "\n" : ",\n").utf8)
            bytes.append(contentsOf: String(repeating: "  ", count: indent + 1).utf8)
            each(&self, element)
        }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: String(repeating: "  ", count: indent).utf8)
        bytes.append(contentsOf: close.utf8)
    }

    private mutating func open(_ bracket: String) {
        separate()
        bytes.append(contentsOf: bracket.utf8)
        needsComma = false
    }

    private mutating func close(_ bracket: String) {
        bytes.append(contentsOf: bracket.utf8)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = false
    }

    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { units in
            // Almost all text has nothing to escape, and goes in as a whole.
            var start = 0
            for (place, unit) in units.enumerated()
            where unit < 0x20 || unit == UInt8(ascii: "\"") || unit == UInt8(ascii: "\\") {
                bytes.append(contentsOf: units[start..<place])
                escape(unit)
                start = place + 1
            }
            bytes.append(contentsOf: units[start...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ unit: UInt8) {
        switch unit {
        case UInt8(ascii: "\""): bytes.append(contentsOf: "\\\"".utf8)
        case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
        case 0x0A: bytes.append(contentsOf: "\\n".utf8)
        case 0x0D: bytes.append(contentsOf: "\\r".utf8)
        case 0x09: bytes.append(contentsOf: "\\t".utf8)
        default:
            let digits = Array("0123456789abcdef".utf8)
            bytes.append(contentsOf: "\\u00".utf8)
            bytes.append(digits[Int(unit >> 4)])
            bytes.append(digits[Int(unit & 15)])
        }
    }
}
