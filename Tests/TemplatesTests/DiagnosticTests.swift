import StepwellTemplates
import Testing

/// One fault each: its place, its code, and a word of its message or cure.
struct DiagnosticTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        var title: String
        var text: String
        var place: String
        var word: String

        init(_ title: String, _ text: String, _ place: String, _ word: String) {
            self.title = title
            self.text = text
            self.place = place
            self.word = word
        }

        var testDescription: String { title }
    }

    @Test("faults of the text", arguments: textFaults)
    func textFault(_ fault: Fault) { check(fault) }

    @Test("faults of the task's keys", arguments: taskFaults)
    func taskFault(_ fault: Fault) { check(fault) }

    @Test("faults of a step's keys", arguments: stepFaults)
    func stepFault(_ fault: Fault) { check(fault) }

    @Test("faults of the graph", arguments: graphFaults)
    func graphFault(_ fault: Fault) { check(fault) }

    @Test("faults of environments", arguments: environmentFaults)
    func environmentFault(_ fault: Fault) { check(fault) }

    @Test("each code but those of warnings is met by a test")
    func complete() {
        let all = Self.textFaults + Self.taskFaults + Self.stepFaults + Self.graphFaults + Self.environmentFaults
        let met = Set(all.map { String($0.place.split(separator: " ")[1]) })
        let elsewhere: Set = [
            "document_too_large", "not_utf8", "expands_too_far",  // TextTests
            "unknown_environment",  // EnvironmentTests
            "ignored_key", "raised_to_one", "not_supported_yet",  // CorpusTests
            "overruled_key",  // KeyTests
        ]
        #expect(Diagnostic.Code.allCases.map(\.rawValue).filter { !met.contains($0) && !elsewhere.contains($0) } == [])
    }

    private func check(_ fault: Fault) {
        let load = TemplateLoader.load(text: fault.text, file: "f.yaml")
        #expect(load.places == [fault.place])
        let printed = load.diagnostics.map(\.description).joined(separator: "\n")
        #expect(printed.contains(fault.word), "\(printed)")
        #expect((load.template == nil) == !load.errors.isEmpty)
    }

    static let textFaults = [
        Fault("nothing", "", "1:1 empty_document", "stepwell init"),
        Fault("a comment alone", "# later\n", "1:1 empty_document", "no template"),
        Fault("null", "---\n", "1:1 empty_document", "no template"),
        Fault("two documents", "name: a\n---\nname: b\n", "2:1 several_documents", "files of their own"),
        Fault("a second ': '", "name: a: b\n", "1:8 yaml_syntax", "in quotes"),
        Fault("no ':'", "name: x\nfoo\nversion: 1\n", "2:1 yaml_syntax", "key: value"),
        Fault("an open quote", "name: \"abc\nversion: 1\n", "1:7 yaml_syntax", "close the quote"),
        Fault("an escape", "name: \"a\\qb\"\n", "1:9 yaml_syntax", "single quotes"),
        Fault("an open brace", "a:\n  - {b: {c: x}\n  - {d: e}\n", "3:3 yaml_syntax", "line 2, column 5"),
        Fault("an open bracket", "steps: [a, b\nname: x\n", "2:5 yaml_syntax", "line 1, column 8"),
        Fault("indented too little", "a:\n  - b: 1\n    c: 2\n   d: 3\n", "4:4 yaml_syntax", "same column"),
        Fault("indented too much", "name: x\n version: 1\n", "2:9 yaml_syntax", "line the key up"),
        Fault("a list in the line of its key", "steps: - a\n", "1:8 yaml_syntax", "line of its own"),
        Fault("a reserved letter", "name: @x\n", "1:7 yaml_syntax", "in quotes"),
        Fault("a bare star", "name: * x\n", "1:8 yaml_syntax", "in quotes"),
        Fault("more after the end", "{name: x}\nversion: 1\n", "2:1 yaml_syntax", "ended before"),
        Fault("a tab before an element", "steps:\n\t- name: a\n", "2:1 yaml_tab", "spaces"),
        Fault("a tab before a key", "name: x\n\tversion: 1\n", "2:1 yaml_tab", "spaces"),
        Fault("a tab after spaces", "steps:\n  - name: a\n  \thandler: {}\n", "3:3 yaml_tab", "spaces"),
        Fault("a tab in a block of text", "description: |\n\tfoo\n", "2:1 yaml_tab", "spaces"),
        Fault("a control character", "näme: a\u{1}b\n", "1:8 control_character", "U+0001"),
        Fault("too deep", String(repeating: "[", count: 200), "1:101 too_deep", "100 levels"),
        Fault("an anchor within itself", "a: &x [*x]\n", "1:8 recursive_anchor", "&x"),
        Fault("an unknown anchor", task("steps: *none\n"), "4:8 unknown_anchor", "*none"),
        Fault(
            "a tag", task("description: !secret x\nsteps: [{name: a, handler: {callable: x}}]"), "4:14 yaml_tag",
            "!secret"),
        Fault("a key twice", step("timeout_seconds: 1\ntimeout_seconds: 2"), "8:5 duplicate_key", "line 7, column 5"),
        Fault("a list as a key", handler("callable: x\ninitialization: {[a]: 1}"), "8:24 bad_key", "a list"),
        Fault("a merge of text", retry("<<: 3"), "8:11 bad_merge", "the number 3"),
        Fault(
            "a merge key twice", retry("<<: {jitter: true}\n<<: {jitter: true}"), "9:7 duplicate_key",
            "line 8, column 7"),
    ]

    static let taskFaults = [
        Fault("no template", "- a\n", "1:1 wrong_type", "a list"),
        Fault(
            "no name", "namespace_name: s\nversion: 1\nsteps: [{name: a, handler: {callable: x}}]", "1:1 missing_key",
            "'name' of"),
        Fault("a name without a value", "name:\n" + minimal, "1:1 missing_key", "'name' of"),
        Fault("a number for a name", "name: 12\n" + minimal, "1:7 wrong_type", #"in quotes: "12""#),
        Fault("a list for a name", "name: [a]\n" + minimal, "1:7 wrong_type", "a list"),
        Fault("an empty name", "name: ' '\n" + minimal, "1:7 bad_name", "empty"),
        Fault("a long name", "name: \(String(repeating: "ä", count: 128))\n" + minimal, "1:7 bad_name", "256 bytes"),
        Fault("a name with a tab", "name: \"a\\tb\"\n" + minimal, "1:7 bad_name", "U+0009"),
        Fault("a misspelt key", step("") + "verison: 2\n", "7:1 unknown_key", "did you mean 'version'?"),
        Fault("a step's key on the task", step("") + "timeout_seconds: 2\n", "7:1 unknown_key", "belongs on a step"),
        Fault("a key like none", step("") + "zzz: 2\n", "7:1 unknown_key", "the template knows: name, namespace_name"),
        Fault("no steps", "name: n\nnamespace_name: s\nversion: 1\n", "1:1 missing_key", "'steps' of"),
        Fault("empty steps", task("steps: []\n"), "4:1 no_steps", "no steps"),
        Fault("steps without a value", task("steps:\n"), "4:1 no_steps", "no steps"),
        Fault("steps of text", task("steps: all\n"), "4:8 wrong_type", "a list"),
        Fault("a step of text", task("steps:\n  - all\n"), "5:5 wrong_type", "a mapping"),
        Fault("a priority too high", step("") + "priority: 101\n", "7:11 out_of_range", "-100 to 100"),
        Fault("a huge priority", step("") + "priority: 1e300\n", "7:11 out_of_range", "-100 to 100"),
        Fault("a fraction of a priority", step("") + "priority: 1.5\n", "7:11 wrong_type", "a whole number"),
        Fault("metadata of text", step("") + "metadata: x\n", "7:11 wrong_type", "a mapping"),
        Fault("tags of text", step("") + "tags: x\n", "7:7 wrong_type", "write 'tags: [x]'"),
        Fault("an endless number", step("") + "metadata: {a: .inf}\n", "7:15 bad_number", ".inf"),
        Fault("a schema of text", step("") + "input_schema: x\n", "7:15 wrong_type", "a mapping"),
        Fault("a type that is none", step("") + "input_schema: {type: objekt}\n", "7:22 bad_schema", "objekt"),
        Fault(
            "a keyword that nobody enforces",
            step("") + "input_schema:\n  properties:\n    a/b: {pattern: x}\n", "9:20 not_supported_yet", "pattern"),
    ]

    static let stepFaults = [
        Fault("no name", task("steps:\n  - handler: {callable: x}\n"), "5:5 missing_key", "'name' of a step"),
        Fault("no handler", task("steps:\n  - name: a\n"), "5:5 missing_key", "'handler' of step 'a'"),
        Fault(
            "a reserved name", task("steps:\n  - {name: ALL, handler: {callable: x}}\n"), "5:12 bad_name", "every step"),
        Fault("a misspelt key", step("dependancies: []"), "7:5 unknown_key", "did you mean 'dependencies'?"),
        Fault("a shortened key", step("timeout: 3"), "7:5 unknown_key", "did you mean 'timeout_seconds'?"),
        Fault("a key in another style", step("dependsOn: []"), "7:5 unknown_key", "did you mean 'depends_on'?"),
        Fault("a handler's key", step("command: [x]"), "7:5 unknown_key", "'command' belongs under 'handler'"),
        Fault("a retry policy's key", step("max_attempts: 3"), "7:5 unknown_key", "belongs under 'retry'"),
        Fault(
            "dependencies under two names", step("depends_on: []\ndependencies: []"), "8:5 conflicting_keys", "alone"),
        Fault("one dependency without a list", step("dependencies: a"), "7:19 wrong_type", "write 'dependencies: [a]'"),
        Fault("a number for a dependency", step("dependencies: [1]"), "7:20 wrong_type", "the number 1"),
        Fault("a timeout of nothing", step("timeout_seconds: 0"), "7:22 out_of_range", "from 0.001"),
        Fault("a timeout of text", step("timeout_seconds: 3s"), "7:22 wrong_type", "the text '3s'"),
        Fault("a timeout in quotes", step("timeout_seconds: '3'"), "7:22 wrong_type", "without quotes"),
        Fault("an unknown type", step("type: deferred"), "7:11 unknown_value", "'deferred_convergence'?"),
        Fault("retry of text", step("retry: 3"), "7:12 wrong_type", "a mapping"),
        Fault("too many attempts", retry("max_attempts: 101"), "8:21 out_of_range", "0 to 100"),
        Fault("fewer attempts than none", retry("limit: -1"), "8:14 out_of_range", "0 to 100"),
        Fault("no attempt", retry("limit: 0"), "8:14 raised_to_one", "'max_attempts: 1'"),
        Fault("a misspelt backoff", retry("backoff: exponentiel"), "8:16 unknown_value", "'exponential'?"),
        Fault("a delay below zero", retry("initial_delay: -0.5"), "8:22 out_of_range", "0 to 3600"),
        Fault("a delay too long", retry("max_backoff_ms: 3600001"), "8:23 out_of_range", "3600000"),
        Fault("yes for true", retry("jitter: yes"), "8:15 wrong_type", "write 'jitter: true'"),
        Fault("a quoted boolean", retry("retryable: 'false'"), "8:18 wrong_type", "without quotes"),
        Fault("a capped delay", retry("initial_delay: 60"), "8:7 capped_delay", "30.0 s"),
        Fault("retries instead of attempts", retry("max_retries: 3"), "8:7 ignored_key", "one more"),
        Fault("neither callable nor command", handler("initialization: {}"), "7:7 no_handler", "neither"),
        Fault("both", handler("callable: x\ncommand: [x]"), "8:16 conflicting_keys", "both"),
        Fault("an empty callable", handler("callable: ''"), "7:17 bad_name", "empty"),
        Fault("an empty method", handler("callable: x\nmethod: ''"), "8:15 bad_name", "empty"),
        Fault("an empty command", handler("command: []"), "7:16 no_handler", "no program"),
        Fault("a command without a program", handler("command: ['', a]"), "7:16 no_handler", "no program"),
        Fault("a nothing among arguments", handler("command: [a, ~]"), "7:20 wrong_type", "nothing"),
        Fault(
            "a line for a shell", handler("command: ls \"a\" | wc"), "7:16 wrong_type",
            #"write 'command: ["sh", "-c", "ls \"a\" | wc"]'"#),
        Fault("a NUL in a command", handler("command: [a, \"\\0\"]"), "7:20 bad_name", "U+0000"),
        Fault("env for a callable", handler("callable: x\nenv: {A: b}"), "8:7 conflicting_keys", "'command' only"),
        Fault("a method for a command", handler("command: [x]\nmethod: y"), "8:7 conflicting_keys", "'callable' only"),
        Fault("a bad variable", handler("command: [x]\nenv: {'A=B': c}"), "8:13 bad_name", "A=B"),
        Fault("a list for a variable", handler("command: [x]\nenv: {A: [b]}"), "8:16 wrong_type", "'A' must be text"),
        Fault(
            "a secret without a name", handler("callable: x\ninitialization: {a: [{b: 'secret:my key'}]}"),
            "8:23 bad_secret", "'secret::…' is the text"),
        Fault(
            "a variable's secret", handler("command: [x]\nenv: {A: 'secret:'}"), "8:16 bad_secret", "letters, digits"),
        Fault(
            "a secret as an argument", handler("command: [x, 'secret:api-key']"), "7:20 secret_argument",
            "env: {API_KEY: secret:api-key}"),
        Fault("an empty directory", handler("command: [x]\nworking_directory: ''"), "8:26 bad_name", "empty"),
        Fault("a list for initialization", handler("callable: x\ninitialization: []"), "8:23 wrong_type", "a mapping"),
        Fault("a bad result schema", step("result_schema: {required: id}"), "7:31 bad_schema", "an array of names"),
        Fault("an ignored key", step("lifecycle: {max_retries: 2}"), "7:5 ignored_key", "max_attempts"),
    ]

    static let graphFaults = [
        Fault("two steps of one name", steps("a", "b", "a"), "7:12 duplicate_step", "line 5, column 12"),
        Fault(
            "an unknown dependency", steps("extract", "load: [extrakt]"), "6:57 unknown_step", "did you mean 'extract'?"
        ),
        Fault("itself", steps("a: [a]"), "5:54 self_dependency", "'a' depends on itself"),
        Fault("a dependency twice", steps("a", "b: [a, a]"), "6:57 duplicate_dependency", "remove one"),
        Fault("two that wait for each other", steps("a: [b]", "b: [a]"), "5:12 cycle", "a → b → a"),
        Fault(
            "a ring behind a root", steps("r", "a: [r, c]", "b: [a]", "c: [b]", "d: [c]"), "6:12 cycle", "a → c → b → a"
        ),
        Fault("the shortest of two rings", steps("a: [b, c]", "b: [d]", "c: [a]", "d: [a]"), "5:12 cycle", "a → c → a"),
    ]

    static let environmentFaults = [
        Fault(
            "an override's secret",
            task(
                "steps:\n  - {name: a, handler: {callable: x}}\nenvironments:\n  t:\n    steps:\n"
                    + "      - {name: a, handler: {initialization: {k: 'secret:/'}}}\n"),
            "9:45 bad_secret", "'/' cannot"),
        Fault("environments of a list", environments("[]"), "6:15 wrong_type", "a mapping"),
        Fault("an unknown key", environments("{test: {step: []}}"), "6:23 unknown_key", "'steps'?"),
        Fault("an unknown step", environments("{test: {steps: [{name: b}]}}"), "6:38 unknown_step", "which is no step"),
        Fault("no step", environments("{test: {steps: [{timeout_seconds: 1}]}}"), "6:31 missing_key", "'ALL'"),
        Fault(
            "a step twice", environments("{t: {steps: [{name: a}, {name: a}]}}"), "6:46 duplicate_override",
            "line 6, column 35"),
        Fault(
            "a callable", environments("{t: {steps: [{name: a, handler: {callable: x}}]}}"), "6:48 unknown_key",
            "override"),
        Fault(
            "a bad value", environments("{t: {steps: [{name: a, timeout_seconds: x}]}}"), "6:55 wrong_type", "seconds"),
    ]

    private static let minimal = "namespace_name: s\nversion: 1\nsteps: [{name: a, handler: {callable: x}}]\n"

    /// `name` or `name: [dependencies]` for each step, from line 5.
    private static func steps(_ steps: String...) -> String {
        task("steps:\n")
            + steps.map { step in
                let parts = step.split(separator: ": ")
                return
                    "  - {name: \(parts[0]), handler: {callable: x}, dependencies: \(parts.count > 1 ? parts[1] : "[]")}\n"
            }.joined()
    }

    private static func environments(_ value: String) -> String {
        task("steps:\n  - {name: a, handler: {callable: x}}\nenvironments: \(value)\n")
    }
}
