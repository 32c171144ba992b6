import Stepwell

extension Template {
    /// A template of steps whose handlers have the names of the steps.
    static func of(_ steps: StepTemplate...) -> Template {
        Template(namespace: "tests", name: "work", version: "1", steps: steps)
    }

    /// One step, `work`.
    static var single: Template { .of(.step("work")) }

    /// `top`, then `left` and `right`, then `bottom`.
    static var diamond: Template {
        .of(.step("top"), .step("left", after: 0), .step("right", after: 0), .step("bottom", after: 1, 2))
    }
}

extension StepTemplate {
    static func step(
        _ name: String, after dependencies: StepIndex..., attempts: Int = 3, timeout: Milliseconds? = nil,
        resultSchema: JSON? = nil
    ) -> StepTemplate {
        StepTemplate(
            name: name, handler: .callable(name), dependencies: dependencies,
            retry: RetryPolicy(attemptsMax: attempts, backoff: .exponential, initialDelay: .seconds(2)),
            timeout: timeout, resultSchema: resultSchema.map { JSONText($0) })
    }
}

extension TaskReport {
    /// The states of the steps by name.
    var states: [String: StepState] {
        Dictionary(uniqueKeysWithValues: steps.map { ($0.name, $0.state) })
    }
}
