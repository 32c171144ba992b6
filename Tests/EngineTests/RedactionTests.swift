import StepwellModel
import Testing

@testable import StepwellEngine

@Suite("what an attempt reports is written without its secrets")
struct RedactionTests {
    private static let value = #"p4ss"wörd\/+?"#
    private let redaction = Redaction([("key", value)])

    private func hides(_ text: String, _ expected: String, line: Int = #line) {
        #expect(redaction.text(text) == expected, "line \(line)")
    }

    @Test("the value itself, as often as it stands there")
    func plain() {
        hides("a \(Self.value) b \(Self.value)", "a [secret:key] b [secret:key]")
        hides("nothing to see", "nothing to see")
        hides("", "")
    }

    @Test("escaped as in JSON, with and without letters beyond ASCII")
    func escaped() {
        hides(#"{"a":"p4ss\"wörd\\/+?"}"#, #"{"a":"[secret:key]"}"#)
        hides(#"{"a":"p4ss\"w\u00f6rd\\/+?"}"#, #"{"a":"[secret:key]"}"#)
    }

    @Test("in hexadecimal digits, and as in an address")
    func digits() {
        hides("hex 703473732277c3b672645c2f2b3f.", "hex [secret:key].")
        hides("HEX 703473732277C3B672645C2F2B3F.", "HEX [secret:key].")
        hides("?k=p4ss%22w%C3%B6rd%5C%2F%2B%3F&b", "?k=[secret:key]&b")
    }

    @Test(
        "in base64, wherever it begins amid other bytes", arguments: ["", "u", "u:", "me:", "user:"],
        ["", "x", "xy", "xyz"])
    func base64(before: String, after: String) {
        let text = Base64.text(before + "s3cret-value" + after)
        let hidden = Redaction([("k", "s3cret-value")]).text("Basic \(text)!")
        #expect(hidden.hasPrefix("Basic "))
        #expect(hidden.contains("[secret:k]"))
        // Nothing but whole groups of letters from before and after is left.
        let rest = hidden.dropFirst(6).dropLast().replacing("[secret:k]", with: " ").split(separator: " ")
        for part in rest { #expect(text.hasPrefix(part) || text.hasSuffix(part), "\(hidden)") }
        #expect(rest.map(\.count).reduce(0, +) <= Base64.text(before).count + Base64.text(after).count, "\(hidden)")
    }

    @Test("each longer line of a value of several lines")
    func lines() {
        let key = Redaction([("pem", "-----BEGIN KEY-----\n  MIIEvQIBADANBgkq\nab\n-----END KEY-----")])
        #expect(key.text("see MIIEvQIBADANBgkq") == "see [secret:pem]")
        #expect(key.text("ab is too short") == "ab is too short")
        #expect(key.text("-----BEGIN KEY-----\n  MIIEvQIBADANBgkq\nab\n-----END KEY-----") == "[secret:pem]")
    }

    @Test("the beginning of one at the end of a text that was cut")
    func cut() {
        let long = Redaction([("k", "0123456789abcdef")])
        #expect(long.text("so: 0123456789a…") == "so: [secret:k]…")
        #expect(long.text("so: 0123456…") == "so: 0123456…")
        #expect(long.text("so: 0123456789a") == "so: 0123456789a")
    }

    @Test("overlapping ones are hidden together")
    func overlapping() {
        let both = Redaction([("a", "abcdef"), ("b", "defghi")])
        #expect(both.text("-abcdefghi-") == "-[secret:a]-")
    }

    // MARK: JSON

    private func json(_ text: String, _ redaction: Redaction) throws -> String {
        let result = redaction.json(try JSONText(text))
        #expect((try? JSONText(result.bytes)) != nil, "what is left is no JSON: \(result)")
        return result.description
    }

    @Test("a JSON value stays one: texts, names of members, numbers")
    func values() throws {
        let number = Redaction([("pin", "1234")])
        #expect(
            try json(#"{"a": 91234.5, "b 1234": [12, "x1234"]}"#, number)
                == #"{"a":"9[secret:pin].5","b [secret:pin]":[12,"x[secret:pin]"]}"#)
        #expect(try json(#"{"a": 1.50}"#, number) == #"{"a": 1.50}"#)
    }

    @Test("an escape that the value would not need hides nothing")
    func escapes() throws {
        #expect(try json(#"["\u0070\u0034ss\"w\u00F6rd\\\/+?"]"#, redaction) == #"["[secret:key]"]"#)
        #expect(try json(#"["a\nb"]"#, redaction) == #"["a\nb"]"#)
    }

    @Test("a JSON document as a secret, whole and parsed")
    func structures() throws {
        let document = Redaction([("account", #"{ "id": 7, "key": "k" }"#)])
        #expect(try json(#"{"used":{"id":7,  "key":"k"}}"#, document) == #"{"used":"[secret:account]"}"#)
        #expect(try json(#"["{ \"id\": 7, \"key\": \"k\" }"]"#, document) == #"["[secret:account]"]"#)
    }

    @Test("what lies across several values is hidden with all that is around it")
    func across() throws {
        #expect(try json(#"{"a":["ab","cd"]}"#, Redaction([("odd", #"b","c"#)])) == #""[secret:odd]""#)
    }

    @Test("a failure in all of its parts")
    func failure() {
        let failure = redaction.failure(
            Failure(
                message: "no \(Self.value)", errorType: "t\(Self.value)", errorCode: Self.value, retryable: false,
                backtrace: "at \(Self.value)", metadata: JSONText(["a": .string(Self.value)])))
        #expect(
            failure
                == Failure(
                    message: "no [secret:key]", errorType: "t[secret:key]", errorCode: "[secret:key]", retryable: false,
                    backtrace: "at [secret:key]", metadata: JSONText(["a": "[secret:key]"])))
    }
}

/// For the tests' expectations, written another way than what is tested.
private enum Base64 {
    static func text(_ text: String) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        let bits = text.utf8.flatMap { byte in (0..<8).map { byte >> UInt8(7 - $0) & 1 } }
        var result = ""
        for start in stride(from: 0, to: bits.count, by: 6) {
            let group = (0..<6).map { start + $0 < bits.count ? Int(bits[start + $0]) : 0 }
            result.append(letters[group.reduce(0) { $0 * 2 + $1 }])
        }
        return result + String(repeating: "=", count: (4 - result.count % 4) % 4)
    }
}
