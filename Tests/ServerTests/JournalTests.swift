import StepwellModel
import Testing

@testable import StepwellServer

/// The lines of the server's own log.
@Suite struct JournalTests {
    private func line(
        _ format: Journal.Format, _ message: String, _ fields: [Journal.Field] = [], code: String = "news"
    ) -> String {
        Journal.line(format, Timestamp(milliseconds: 0), .warning, code, message, fields)
    }

    @Test func aLineOfText() {
        #expect(
            line(.text, "all is well", [.init("a", "plain/word:1"), .init("n", -3), .init("yes", .flag(true))])
                == "1970-01-01T00:00:00.000Z warning [news] all is well a=plain/word:1 n=-3 yes=true")
        #expect(line(.text, "") == "1970-01-01T00:00:00.000Z warning [news]")
    }

    @Test func aLineOfJSON() throws {
        let text = line(.json, "a \"b\"\nc", [.init("d", .microseconds(1_002_030)), .init("e\"", "\\ü€😀")])
        let json = try JSONText(Array(text.utf8)).json
        #expect(json["message"]?.string == "a \"b\"\nc")
        #expect(json["d"] == .number("1002.030"))
        #expect(json["e\""]?.string == "\\ü€😀")
        #expect(json["time"]?.string == "1970-01-01T00:00:00.000Z")
        #expect(json["level"]?.string == "warning")
        #expect(!text.contains("\n"))
    }

    @Test(arguments: ["", "two words", "a=b", "a\"b", "a\\b", "ü", "\u{7F}"])
    func whatIsNoPlainWordStandsInQuotes(_ value: String) {
        #expect(line(.text, "", [.init("a", value)]).contains("a=\""))
    }

    @Test(arguments: ["\n", "\r", "\u{1B}[2J", "\u{0}", "\u{85}", "\u{2028}", "\u{202E}", "\u{E000}", "\u{E0001}"])
    func nothingEndsALineOrMovesACursor(_ bad: String) throws {
        for format in Journal.Format.allCases {
            let text = line(format, "x\(bad)y", [.init("a", "x\(bad)y")], code: "c\(format == .json ? bad : "")")
            let scalar = try #require(bad.unicodeScalars.first)
            #expect(!text.unicodeScalars.contains(scalar))
        }
        let json = try JSONText(Array(line(.json, "x\(bad)y").utf8)).json
        #expect(json["message"]?.string == "x\(bad)y")
    }

    @Test func timesHaveThreeDigitsBehindThePoint() {
        for (microseconds, text) in [(0, "0.000"), (7, "0.007"), (999, "0.999"), (1000, "1.000"), (61_234, "61.234")] {
            #expect(line(.text, "", [.init("t", .microseconds(microseconds))]).hasSuffix("t=\(text)"))
        }
    }

    @Test func ofAFloodOfRefusalsTheFirstAreToldAndAllAreCounted() {
        let refusals = Refusals()
        let request = HTTPRequest(method: "GET", path: ["v1", "tasks"])
        for _ in 0..<100 { refusals.add("token_unknown", "no", request) }
        refusals.add("not_allowed", "no", request)
        #expect(refusals.count == 101)
        #expect(refusals.counts.first { $0.code == "token_unknown" }?.count == 100)
        #expect(refusals.counts.map(\.code) == Refusals.codes)
    }
}
