/// Makes what is right almost right.
struct Mutator {
    /// Values of every kind that a reader may stumble over.
    private static let odd: [[UInt8]] =
        [
            "null", "true", "-1", "0", "1", "2147483648", "9223372036854775807", "9223372036854775808",
            "-9223372036854775809",
            "18446744073709551616", "1.5", "-0.0", "1e308", "1e999", "1E-400", "0.1e1", "\"\"", "\"\\u0000\"",
            "\"é\u{202e}\"",
            "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\u00e9\"", "\"a b\"", "\"#\"", "\"../x\"", "[]", "{}", "[[]]",
            "{\"\":null}",
            "[1,\"a\",null]", "{\"a\":{\"a\":{\"a\":[{}]}}}", "\"1\"", "\"true\"", "01", "+1", ".5", "1.", "NaN", "'a'",
            "\"\t\"",
            "{\"a\":1,\"a\":2}", "\"\\x\"", "\"\\u12\"",
        ].map { Array($0.utf8) }
        + [
            quoted([0xFF, 0xFE]), quoted([0xC0, 0x80]), quoted([0xED, 0xA0, 0x80]), quoted([0xF4, 0x90, 0x80, 0x80]),
            quoted([UInt8](repeating: 0x78, count: 5000)), Array(("1" + String(repeating: "0", count: 400)).utf8),
            Array(("[" + String(repeating: "1,", count: 200) + "1]").utf8),
        ]
    /// Seldom, since they take their time.
    private static let large: [[UInt8]] = [
        quoted([UInt8](repeating: 0x79, count: 200_000)),
        [UInt8](repeating: UInt8(ascii: "["), count: 50_000) + [UInt8](repeating: UInt8(ascii: "]"), count: 50_000),
        Array(String(repeating: "{\"a\":", count: 300).utf8) + [0x31]
            + [UInt8](repeating: UInt8(ascii: "}"), count: 300),
        Array(("[" + String(repeating: "{},", count: 20_000) + "{}]").utf8),
    ]
    private static let pieces: [[UInt8]] =
        [
            "{", "}", "[", "]", "\"", ",", ":", "\\", "\\u", "e", "-", "\u{feff}", "\n", "&a ", "*a", "!!binary ",
            "<<: ", "---\n", "\t", "|", ">", "? ",
        ]
        .map { Array($0.utf8) } + [[0], [0xFF], [0xC3], [0xF0, 0x9F]]
    private static let addresses = Array("/%?&=+;:@.,-_~az09AZ*'()[]\"<>{}|\\^`#".utf8) + [0x80, 0xC3, 0xFF]

    private static func quoted(_ bytes: [UInt8]) -> [UInt8] { [0x22] + bytes + [0x22] }

    /// A body with one to three things that are wrong.
    static func bend(_ body: inout [UInt8], isJSON: Bool, _ dice: inout Dice) {
        for _ in 0...dice.below(3) {
            if isJSON, dice.chance(750), let shape = JSONShape(body.span), !shape.values.isEmpty {
                bend(&body, shape, &dice)
            } else {
                flip(&body, &dice)
            }
        }
    }

    private static func bend(_ body: inout [UInt8], _ shape: JSONShape, _ dice: inout Dice) {
        let value = dice.pick(shape.values)
        switch dice.below(8) {
        case 0: drop(value, &body)
        case 1 where value.isMember:
            body.replaceSubrange(value.memberStart + 1..<value.memberStart + 1, with: dice.pick(pieces))
        case 2 where value.isMember:
            // Twice, with another value the second time.
            let key = body[value.memberStart..<value.start]
            body.insert(contentsOf: [UInt8(ascii: ",")] + key + dice.pick(odd), at: value.end)
        case 3:
            let other = dice.pick(shape.values)
            body.replaceSubrange(value.start..<value.end, with: Array(body[other.start..<other.end]))
        case 4 where body[value.start] == UInt8(ascii: "{"):
            body.insert(
                contentsOf: Array("\"more\":".utf8) + dice.pick(odd) + (value.end - value.start > 2 ? [0x2C] : []),
                at: value.start + 1)
        case 5 where UInt8(ascii: "0")...UInt8(ascii: "9") ~= body[value.start]:
            body.insert(
                contentsOf: dice.pick([[0x2D], [0x30], [0x39, 0x39], [0x2E, 0x35]]),
                at: dice.pick([value.start, value.end]))
        case 6 where dice.chance(4):
            body.replaceSubrange(value.start..<value.end, with: dice.pick(large))
        default: body.replaceSubrange(value.start..<value.end, with: dice.pick(odd))
        }
    }

    private static func drop(_ value: JSONShape.Value, _ body: inout [UInt8]) {
        var (start, end) = (value.memberStart, value.end)
        if end < body.count, body[end] == UInt8(ascii: ",") {
            end += 1
        } else if start > 0, body[start - 1] == UInt8(ascii: ",") {
            start -= 1
        }
        body.removeSubrange(start..<end)
    }

    /// Bytes changed, dropped, put in; or no end.
    static func flip(_ body: inout [UInt8], _ dice: inout Dice) {
        guard !body.isEmpty else { return body = dice.pick(pieces) }
        let place = dice.below(body.count)
        switch dice.below(6) {
        case 0: body.removeLast(body.count - place)
        case 1: body.insert(contentsOf: dice.pick(pieces), at: place)
        case 2: body.removeSubrange(place..<min(body.count, place + 1 + dice.below(4)))
        case 3:
            let end = min(body.count, place + 1 + dice.below(24))
            body.insert(contentsOf: Array(body[place..<end]), at: dice.below(body.count))
        default: for _ in 0...dice.below(3) { body[dice.below(body.count)] = UInt8(truncatingIfNeeded: dice.next()) }
        }
    }

    /// An address that is another, and still one word.
    static func bend(address: inout [UInt8], _ dice: inout Dice) {
        for _ in 0...dice.below(3) {
            let place = 1 + dice.below(address.count - 1)
            switch dice.below(6) {
            case 0: address[place] = dice.pick(addresses)
            case 1: address.insert(dice.pick(addresses), at: place)
            case 2 where address.count > 8: address.remove(at: place)
            case 3:
                address +=
                    Array("&\(dice.pick(["limit", "after", "state", "name", "x"]))=".utf8) + dice.pick(addressValues)
            case 4: address.insert(contentsOf: dice.pick(addressValues), at: place)
            default:
                if let last = address.lastIndex(of: UInt8(ascii: "/")), last > 4 {
                    address.removeLast(address.count - last)
                }
            }
        }
    }

    private static let addressValues: [[UInt8]] =
        [
            "%", "%0", "%00", "%ff", "%c3%28", "..", "%2e%2e/", "//", "-1", "99999999999999999999", "a%20b",
            "%e2%80%ae", "", "0",
        ]
        .map { Array($0.utf8) }
}
