import StepwellModel
import StepwellTemplates
import Testing

struct EnvironmentTests {
    private let text = task(
        """
        steps:
          - name: charge
            handler: {callable: pay.Charge, initialization: {gateway: live, currency: EUR}}
            retry: {max_attempts: 5, backoff: linear, initial_delay: 2}
            timeout_seconds: 30
          - {name: mail, handler: {callable: mail.Send}}
        environments:
          test:
            steps:
              - name: charge
                handler: {initialization: {gateway: fake, trace: true}}
                retry: {max_attempts: 1}
              - {name: ALL, timeout_seconds: 5, retry: {backoff: none, max_attempts: 2}, handler: {initialization: {gateway: none}}}
          quiet:
        """)

    @Test("without an environment nothing is overridden")
    func plain() throws {
        let template = try TemplateLoader.load(text: text).get()
        #expect(template.environment == nil)
        #expect(template.steps[0].retry.attemptsMax == 5)
    }

    @Test("ALL first, then the step's own: configurations and policies by key, the timeout whole")
    func overridden() throws {
        let template = try TemplateLoader.load(text: text, environment: "test").get()
        #expect(template.environment == "test")
        let charge = template.steps[0]
        #expect(charge.handler.configuration.description == #"{"gateway":"fake","currency":"EUR","trace":true}"#)
        #expect(charge.retry == RetryPolicy(attemptsMax: 1, backoff: .none, initialDelay: .seconds(2)))
        #expect(charge.timeout == .seconds(5))
        let mail = template.steps[1]
        #expect(mail.handler.configuration.description == #"{"gateway":"none"}"#)
        #expect(mail.retry == RetryPolicy(attemptsMax: 2, backoff: .none))
        #expect(mail.timeout == .seconds(5))
    }

    @Test("an environment without overrides is one all the same")
    func empty() throws {
        #expect(try TemplateLoader.load(text: text, environment: "quiet").get().environment == "quiet")
    }

    @Test("an unknown environment is an error that names those there are")
    func unknown() {
        let load = TemplateLoader.load(text: text, environment: "prod")
        #expect(load.places == ["10:1 unknown_environment"])
        #expect(load.diagnostics[0].cure == "there are: test, quiet")
        let none = TemplateLoader.load(text: step(""), environment: "prod")
        #expect(none.places == ["1:1 unknown_environment"])
        #expect(none.diagnostics[0].cure == "the template has none")
    }
}
