import StepwellModel
import StepwellTemplates
import Testing

/// Bytes, sizes, anchors: what happens before the first key is looked at.
struct TextTests {
    @Test("a byte order mark and lines that end with CR LF change nothing")
    func marks() throws {
        let text = step("timeout_seconds: 5\n")
        let plain = try TemplateLoader.load(text: text).get()
        #expect(try TemplateLoader.load(text: "\u{FEFF}" + text).get() == plain)
        #expect(try TemplateLoader.load(text: text.replacing("\n", with: "\r\n")).get() == plain)
        #expect(TemplateLoader.load(text: "\u{FEFF}name: x\r\nfoo: @\r\n").places == ["2:6 yaml_syntax"])
    }

    @Test("a column counts characters, not bytes")
    func columns() {
        #expect(TemplateLoader.load(text: task("steps: {ä: \"→😀\", ö: @}")).places == ["4:21 yaml_syntax"])
        #expect(TemplateLoader.load(text: step("\"ä😀\": 1")).places == ["7:5 unknown_key"])
    }

    @Test("bytes that are not UTF-8 are named with their place")
    func encoding() {
        let latin = Array("name: x\nversion: ".utf8) + [0xE9, 0x0A]
        #expect(TemplateLoader.load(bytes: latin).places == ["2:10 not_utf8"])
        #expect(TemplateLoader.load(bytes: [0xFF, 0xFE, 0x6E, 0x00]).places == ["1:1 not_utf8"])
        #expect(TemplateLoader.load(bytes: Array("n\0a\0".utf8)).places == ["1:2 control_character"])
        #expect(TemplateLoader.load(bytes: []).places == ["1:1 empty_document"])
    }

    @Test("a document over the limit is refused, and the limit can be raised")
    func size() throws {
        let text = step("") + "\n#" + String(repeating: "x", count: TemplateLoader.documentBytesMax)
        let load = TemplateLoader.load(text: text)
        #expect(load.places == ["1:1 document_too_large"])
        #expect(load.diagnostics[0].message.contains("1048576 are allowed"))
        #expect(TemplateLoader.load(text: text, documentBytesMax: text.utf8.count).template != nil)
        #expect(TemplateLoader.load(text: text, documentBytesMax: text.utf8.count - 1).template == nil)
    }

    @Test("aliases and merge keys: own keys win, then the first of several")
    func merges() throws {
        let text = task(
            """
            steps:
              - name: a
                handler: &handler {callable: x, initialization: {size: 1}}
                retry: &patient {max_attempts: 9, backoff: linear}
              - name: b
                handler: *handler
                retry: {max_attempts: 2, <<: *patient}
              - name: c
                handler: *handler
                retry: {<<: [{max_attempts: 4}, *patient], initial_delay: 2}
            """)
        let steps = try TemplateLoader.load(text: text).get().steps
        #expect(steps[1].handler == steps[0].handler)
        #expect(steps[1].retry == RetryPolicy(attemptsMax: 2, backoff: .linear))
        #expect(steps[2].retry == RetryPolicy(attemptsMax: 4, backoff: .linear, initialDelay: .seconds(2)))
    }

    @Test("a quoted '<<' is a key like any other")
    func quotedMerge() throws {
        let load = TemplateLoader.load(text: handler("callable: x\ninitialization: {'<<': 1}"))
        #expect(try load.get().steps[0].handler.configuration.description == #"{"<<":1}"#)
    }

    @Test("a fault behind an alias is told once, where it stands")
    func aliasedFault() {
        let text = task(
            """
            steps:
              - {name: a, handler: &h {callabel: x}}
              - {name: b, handler: *h}
            """)
        #expect(TemplateLoader.load(text: text).places == ["5:24 no_handler", "5:28 unknown_key"])
    }

    @Test("a few lines of anchors cannot stand for gigabytes")
    func bomb() {
        var text = task("metadata:\n  l0: &l0 \(String(repeating: "x", count: 100))\n")
        for level in 1...9 {
            let aliases = Array(repeating: "*l\(level - 1)", count: 10).joined(separator: ", ")
            text += "  l\(level): &l\(level) [\(aliases)]\n"
        }
        let load = TemplateLoader.load(text: text)
        #expect(load.diagnostics.map(\.code) == [.expandsTooFar])
        #expect(load.diagnostics[0].line == 10)
    }

    @Test("an environment cannot multiply a configuration by the steps beyond all bounds")
    func overrides() {
        let steps = (0..<2000).map { "  - {name: s\($0), handler: {callable: x}}\n" }.joined()
        let text =
            task("steps:\n") + steps + "environments:\n  test:\n    steps:\n      - name: ALL\n        handler:\n"
            + "          initialization: {text: \(String(repeating: "x", count: 10_000))}\n"
        #expect(TemplateLoader.load(text: text).template != nil)
        #expect(TemplateLoader.load(text: text, environment: "test").places == ["2006:3 expands_too_far"])
    }

    @Test("a hundred levels are enough, and one more is too many")
    func depth() {
        func nested(_ levels: Int) -> String {
            handler(
                "callable: x\ninitialization: {a: \(String(repeating: "[", count: levels))\(String(repeating: "]", count: levels))}"
            )
        }
        // The document, its steps, a step, its handler and the initialization are five.
        #expect(TemplateLoader.load(text: nested(95)).template != nil)
        #expect(TemplateLoader.load(text: nested(96)).places == ["8:122 too_deep"])
        let aliased = task(
            "metadata:\n  a: &a \(String(repeating: "[", count: 60))\(String(repeating: "]", count: 60))\n  b: \(String(repeating: "[", count: 60))*a\(String(repeating: "]", count: 60))\n"
        )
        #expect(TemplateLoader.load(text: aliased).diagnostics.map(\.code) == [.tooDeep])
    }

    @Test("a diagnostic prints as compilers do")
    func printing() {
        let load = TemplateLoader.load(text: step("timeout: 3"), file: "jobs/night.yaml")
        #expect(
            load.diagnostics.map(\.description) == [
                "jobs/night.yaml:7:5: error: unknown key 'timeout' on a step [unknown_key]\n    did you mean 'timeout_seconds'?"
            ])
        #expect(throws: InvalidTemplate.self) { try load.get() }
    }
}
