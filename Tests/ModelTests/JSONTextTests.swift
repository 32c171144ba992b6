import StepwellModel
import Testing

@Suite("JSON as it is read and written")
struct JSONTextTests {
    @Test(
        "What is JSON passes, byte for byte",
        arguments: [
            "0", "-0", "1e400", "-1.5E-3", "123456789012345678901234567890.123456789", "\"\"", "\"\\u0000\"",
            "\"\\ud83d\\ude00\"", "\"é€😀\"", " [ 1 ,\t2\r\n] ", "{}", #"{"a":1,"a":2}"#, #"{"":null}"#, "true", "false",
            "null", #""\/\b\f\n\r\t\"\\""#, #""\udead""#,
        ])
    func valid(text: String) throws {
        #expect(try JSONText(text).description == text)
        #expect(throws: Never.self) { try JSONParser.parse(text) }
    }

    @Test(
        "What is none is refused, by the check and by the reader alike",
        arguments: [
            "", " ", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x1", "NaN", "Infinity", "tru", "nulll", "'a'", "\"a",
            "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\n\"", "\"\u{1}\"", "[1,]", "[1 2]", "[", "]", "{", "{\"a\"}",
            "{\"a\":}", "{a:1}", "{\"a\":1,}", "1 2", "{}x", "\u{FEFF}1", "\"\\", "// a\n1",
        ])
    func invalid(text: String) {
        #expect(throws: JSONError.self) { try JSONText(text) }
        #expect(throws: JSONError.self) { try JSONParser.parse(text) }
    }

    @Test(
        "A string that is not UTF-8 is refused",
        arguments: [[0xFF], [0xC0, 0x80], [0xC3], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0x80]] as [[UInt8]])
    func encoding(bytes: [UInt8]) {
        #expect(throws: JSONError("a string that is not UTF-8", at: 1)) {
            try JSONText([UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")])
        }
    }

    @Test("An error names the place of the fault")
    func place() {
        #expect(throws: JSONError("expected a value", at: 6)) { try JSONText(#"{"a": x}"#) }
        #expect(throws: JSONError("more after the value", at: 3)) { try JSONText("{} {}") }
    }

    @Test("It may be nested 512 deep and no deeper, in text of any length")
    func depth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try JSONText(nested(512))
        _ = try JSONParser.parse(nested(512))
        #expect(throws: JSONError.self) { try JSONText(nested(513)) }
        #expect(throws: JSONError.self) { try JSONParser.parse(nested(513)) }
        #expect(throws: JSONError.self) { try JSONText(String(repeating: #"{"a":"#, count: 1_000_000)) }
    }

    @Test("Numbers keep their text")
    func numbers() throws {
        let text = "[1.0,1e2,123456789012345678901234567890,-0,0.1000]"
        #expect(JSONText(try JSONParser.parse(text)).description == text)
        let json = try JSONParser.parse("[3.0, 3e2, 3.5, 9223372036854775807, 9223372036854775808]")
        #expect((0..<5).map { json[$0]?.int } == [3, 300, nil, .max, nil])
        #expect(json[2]?.double == 3.5)
    }

    @Test("Of a member that is given twice, both are kept and the last is found")
    func duplicates() throws {
        let json = try JSONParser.parse(#"{"a":1,"b":2,"a":3}"#)
        #expect(json["a"]?.int == 3)
        #expect(json.members?.count == 3)
        #expect(JSONText(json).description == #"{"a":1,"b":2,"a":3}"#)
    }

    @Test("Escapes become what they stand for, and a lone surrogate the sign for what cannot be shown")
    func escapes() throws {
        #expect(try JSONParser.parse(#""\u0041\n\ud83d\ude00\/""#) == "A\n😀/")
        #expect(try JSONParser.parse(#""\ud83d""#) == "\u{FFFD}")
        #expect(try JSONParser.parse(#""\ude00x""#) == "\u{FFFD}x")
        #expect(try JSONParser.parse(#""\ud83d\u0041""#) == "\u{FFFD}A")
    }

    @Test("What is written is read as the same value, control characters and all")
    func roundTrip() throws {
        let controls = String(String.UnicodeScalarView((0..<0x20).map { UnicodeScalar(UInt8($0)) }))
        let json: JSON = [
            "text": .string(controls + "\"\\/é😀\u{7F}\u{2028}"), "list": [1, 2.5, true, nil, [], [:]], "": "",
        ]
        #expect(try JSONParser.parse(json.encoded) == json)
        #expect(try JSONParser.parse(json.pretty) == json)
    }

    @Test("For people it stands on several lines")
    func pretty() throws {
        let json = try JSONParser.parse(#"{"a":[1,{"b":null}],"c":{},"d":[]}"#)
        #expect(
            json.pretty == """
                {
                  "a": [
                    1,
                    {
                      "b": null
                    }
                  ],
                  "c": {},
                  "d": []
                }
                """)
    }

    @Test("The members of an object are found with the bytes of their values")
    func members() throws {
        let text = #"{ "a" : [1, 2] ,"b\n":"x" }"#
        let bytes = Array(text.utf8)
        let members = try JSONParser.members(bytes)
        #expect(members.map(\.name) == ["a", "b\n"])
        #expect(members.map { String(decoding: bytes[$0.value], as: UTF8.self) } == ["[1, 2]", "\"x\""])
        #expect(throws: JSONError.self) { try JSONParser.members(Array("[1]".utf8)) }
    }
}
