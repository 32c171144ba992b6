import StepwellModel
import StepwellTemplates
import Testing

/// What keys do when they are right.
struct KeyTests {
    private func only(_ text: String) throws -> StepTemplate {
        let load = TemplateLoader.load(text: text)
        #expect(load.diagnostics.map(\.description) == [])
        return try load.get().steps[0]
    }

    @Test(
        "a version keeps its text, be it a number or not",
        arguments: ["1.10", "1.0.0", "2", "'1.10'", "v3", "2026-11-24"])
    func version(_ version: String) throws {
        let text = "name: n\nnamespace_name: s\nversion: \(version)\nsteps: [{name: a, handler: {callable: x}}]\n"
        #expect(try TemplateLoader.load(text: text).get().version == version.filter { $0 != "'" })
    }

    @Test("words that YAML 1.1 took for booleans are text")
    func norway() throws {
        let text = "name: no\nnamespace_name: on\nversion: 1\nsteps: [{name: yes, handler: {callable: off}}]\n"
        let template = try TemplateLoader.load(text: text).get()
        #expect(template.name == "no" && template.namespace == "on")
        #expect(template.steps[0].name == "yes" && template.steps[0].handler == .callable("off"))
    }

    @Test("what is not written has its default")
    func defaults() throws {
        let template = try TemplateLoader.load(text: step("")).get()
        #expect(template.priority == 0 && template.description == nil && template.environment == nil)
        #expect(template.details == .emptyObject && template.inputSchema == nil)
        #expect(template.steps == [StepTemplate(name: "a", handler: .callable("x"))])
    }

    @Test("a key without a value is a key that is not written")
    func nulls() throws {
        let text = step(
            "description:\ndependencies: ~\nretry: null\ntimeout_seconds:\nsystem_dependency:\nresult_schema:\n")
        #expect(try only(text) == StepTemplate(name: "a", handler: .callable("x")))
    }

    @Test("descriptive keys are kept")
    func descriptive() throws {
        let text = task(
            """
            description: What it is
            priority: -5
            tags: [nightly, "7"]
            metadata: {author: Ann, since: 2026, ratio: 0.50}
            system_dependencies: {primary: default, secondary: []}
            steps: [{name: a, description: First, handler: {callable: x}, system_dependency: crm}]
            """)
        let template = try TemplateLoader.load(text: text).get()
        #expect(template.description == "What it is" && template.priority == -5)
        #expect(
            template.details.description
                == #"{"metadata":{"author":"Ann","since":2026,"ratio":0.50},"tags":["nightly","7"],"#
                + #""system_dependencies":{"primary":"default","secondary":[]}}"#)
        #expect(template.steps[0].description == "First")
        #expect(template.steps[0].details.description == #"{"system_dependency":"crm"}"#)
    }

    @Test(
        "each retry key has its effect",
        arguments: [
            ("retryable: false", RetryPolicy(retryable: false)),
            ("max_attempts: 7", RetryPolicy(attemptsMax: 7)),
            ("max_attempts: 1", RetryPolicy(attemptsMax: 1)),
            ("max_attempts: 100", RetryPolicy(attemptsMax: 100)),
            ("max_attempts: 3.0", RetryPolicy(attemptsMax: 3)),
            ("max_attempts: 0x10", RetryPolicy(attemptsMax: 16)),
            ("limit: 4", RetryPolicy(attemptsMax: 4)),
            ("max_attempts: 4\nlimit: 4", RetryPolicy(attemptsMax: 4)),
            ("backoff: none", RetryPolicy(backoff: .none)),
            ("backoff: linear", RetryPolicy(backoff: .linear)),
            ("backoff: exponential", RetryPolicy(backoff: .exponential)),
            ("backoff: fibonacci", RetryPolicy(backoff: .fibonacci)),
            ("backoff_base_ms: 250", RetryPolicy(initialDelay: Milliseconds(250))),
            ("backoff_base_ms: 0", RetryPolicy(initialDelay: .zero)),
            ("max_backoff_ms: 3600000", RetryPolicy(maximumDelay: .seconds(3600))),
            ("initial_delay: 2", RetryPolicy(initialDelay: .seconds(2))),
            ("initial_delay: 0.25", RetryPolicy(initialDelay: Milliseconds(250))),
            ("initial_delay: 2\nbackoff_base_ms: 2000", RetryPolicy(initialDelay: .seconds(2))),
            ("max_delay: 1e2", RetryPolicy(maximumDelay: .seconds(100))),
            ("jitter: true", RetryPolicy(jitter: true)),
            ("max_lost_attempts: 2", RetryPolicy(lossesMax: 2)),
        ])
    func retries(_ lines: String, _ policy: RetryPolicy) throws {
        #expect(try only(retry(lines)).retry == policy)
    }

    @Test("the milliseconds win over the seconds, and max_attempts over limit, with a warning")
    func precedence() throws {
        let text = retry(
            "initial_delay: 9\nbackoff_base_ms: 100\nmax_delay: 9\nmax_backoff_ms: 200\nlimit: 9\nmax_attempts: 2")
        let load = TemplateLoader.load(text: text)
        #expect(load.places == ["8:7 overruled_key", "10:7 overruled_key", "12:7 overruled_key"])
        #expect(
            try load.get().steps[0].retry
                == RetryPolicy(attemptsMax: 2, initialDelay: Milliseconds(100), maximumDelay: Milliseconds(200)))
    }

    @Test("a timeout may have a fraction", arguments: [("30", 30000), ("0.5", 500), ("1.5e1", 15000), ("0.001", 1)])
    func timeouts(_ written: String, _ milliseconds: Int64) throws {
        #expect(try only(step("timeout_seconds: \(written)")).timeout == Milliseconds(milliseconds))
    }

    @Test("a handler is a registered name with a method, and its configuration")
    func callables() throws {
        let text = handler("callable: Größe.Rechner\nmethod: to_pdf\ninitialization: {a: [1, 2.50, ~], b: {c: yes}}")
        let handler = try only(text).handler
        #expect(handler.target == .callable("Größe.Rechner", method: "to_pdf"))
        #expect(handler.configuration.description == #"{"a":[1,2.50,null],"b":{"c":"yes"}}"#)
    }

    @Test("a command is a list of arguments, each as it is written")
    func commands() throws {
        let text = handler(
            """
            command: [python3, -c, "print(1)", 007, 1.10, true, '']
            env: {PORT: 8080, DEBUG: true, EMPTY: "", PATH_2: /bin}
            working_directory: jobs/night
            initialization: {n: 1}
            """)
        let handler = try only(text).handler
        #expect(handler.target == .command(["python3", "-c", "print(1)", "007", "1.10", "true", ""]))
        #expect(
            handler.environment == [
                EnvironmentVariable("PORT", "8080"), EnvironmentVariable("DEBUG", "true"),
                EnvironmentVariable("EMPTY", ""),
                EnvironmentVariable("PATH_2", "/bin"),
            ])
        #expect(handler.workingDirectory == "jobs/night")
        #expect(handler.configuration.description == #"{"n":1}"#)
    }

    @Test("depends_on and step_type are other names")
    func aliases() throws {
        let text = task(
            """
            steps:
              - {name: b, handler: {callable: x}, depends_on: [a], step_type: standard}
              - {name: a, handler: {callable: x}, type: standard}
            """)
        #expect(try TemplateLoader.load(text: text).get().steps[0].dependencies == [1])
    }

    @Test("numbers come to JSON in JSON's form")
    func numbers() throws {
        let written =
            "[+5, 007, .5, 5., -0, 0x1F, 0o17, 1e3, 12345678901234567890123, 1_000, 0xZ, 1.2.3, -, +, ., 08e1]"
        let handler = try only(handler("callable: x\ninitialization: {n: \(written)}")).handler
        #expect(
            handler.configuration.description
                == #"{"n":[5,7,0.5,5.0,-0,31,15,1e3,12345678901234567890123,"1_000","0xZ","1.2.3","-","+",".",8e1]}"#)
    }
}
