import StepwellModel
import Testing

@Suite("Differences of JSON values")
struct JSONDiffTests {
    private func changes(_ before: String, _ after: String) throws -> [String] {
        try JSONDiff.changes(JSONText(before).json, JSONText(after).json).map { change in
            func told(_ value: JSON?) -> String { value.map { JSONText($0).description } ?? "-" }
            return "\(change.pointer) \(told(change.before)) \(told(change.after))"
        }
    }

    @Test(
        "What means the same is equal",
        arguments: [
            (#"{"a":1,"b":[true,null]}"#, #"{ "b" : [ true , null ], "a" : 1.0 }"#),
            ("1", "1.0"), ("100", "1e2"), ("0", "-0.0"), ("0.1", "1E-1"), ("1200e-2", "12"), ("1e400", "10e399"),
            ("12345678901234567890123", "12345678901234567890123.000"),
            (#""\u00fc/""#, #""ü\/""#), (#"{"a":1,"a":2}"#, #"{"a":2}"#), ("[]", "[ ]"),
        ])
    func equal(before: String, after: String) throws {
        #expect(try changes(before, after) == [])
        #expect(try changes(after, before) == [])
    }

    @Test(
        "Every difference has its place and both values",
        arguments: [
            ("1", "2", [" 1 2"]),
            ("1", "\"1\"", [" 1 \"1\""]),
            (
                "12345678901234567890123", "12345678901234567890124",
                [" 12345678901234567890123 12345678901234567890124"]
            ),
            ("0.1", "0.10000000000000001", [" 0.1 0.10000000000000001"]),
            ("1e99999999999999999999", "2e99999999999999999999", [" 1e99999999999999999999 2e99999999999999999999"]),
            (#"{"a":1}"#, #"{"b":1}"#, ["/a 1 -", "/b - 1"]),
            (#"{"a":null}"#, "{}", ["/a null -"]),
            (#"{"a":{"b":[1,{"c":2}]}}"#, #"{"a":{"b":[1,{"c":3}]}}"#, ["/a/b/1/c 2 3"]),
            (#"{"a/b":1,"m~n":1,"":1}"#, #"{"a/b":2,"m~n":2,"":2}"#, ["/a~1b 1 2", "/m~0n 1 2", "/ 1 2"]),
            ("[1,2,3]", "[1,9,3]", ["/1 2 9"]),
            ("[1,2,3]", "[1,2,7,3]", ["/2 - 7"]),
            ("[1,2,3]", "[2,3]", ["/0 1 -"]),
            ("[1,2]", "[]", ["/0 1 -", "/1 2 -"]),
            ("[]", "[[]]", ["/0 - []"]),
            ("[1,5,3]", "[1,6,7,3]", ["/1 5 6", "/2 - 7"]),
            ("[{},1]", "{}", [" [{},1] {}"]),
        ])
    func different(before: String, after: String, expected: [String]) throws {
        #expect(try changes(before, after) == expected)
    }

    @Test("Text is compared by code points: ü as one and as two is not the same, also as a name")
    func codePoints() throws {
        #expect(try changes(#""\u00fc""#, #""u\u0308""#).count == 1)
        #expect(try changes(#"{"\u00fc":1}"#, #"{"u\u0308":1}"#).count == 2)
        #expect(try changes(#"{"🪜":"名"}"#, #"{"🪜":"前"}"#) == [#"/🪜 "名" "前""#])
    }

    @Test("No more are found than are asked for")
    func limit() {
        let (before, after) = (JSON.array((0..<10).map { _ in 1 }), JSON.array((0..<10).map { _ in 2 }))
        #expect(JSONDiff.changes(before, after).count == 10)
        #expect(JSONDiff.changes(before, after, limit: 3).map(\.pointer) == ["/0", "/1", "/2"])
        #expect(!JSONDiff.areEqual(before, after))
    }

    @Test("Large values are compared once, not each element with each")
    func large() {
        func value(_ change: Int64) -> JSON {
            .array(
                (0..<50_000).map { row in
                    ["id": .number(String(row)), "total": row == 40_000 ? .number(String(change)) : 1]
                })
        }
        #expect(JSONDiff.changes(value(1), value(2)) == [JSONChange("/40000/total", 1, 2)])
        let members = (0..<50_000).map { JSON.Member("name \($0)", 1) }
        let (object, other) = (JSON.object(members), JSON.object(members.reversed() + [.init("one more", 1)]))
        #expect(JSONDiff.changes(object, other) == [JSONChange("/one more", nil, 1)])
    }
}
