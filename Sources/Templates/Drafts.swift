import StepwellModel

/// A name that refers to something, and where it stands.
struct Reference {
    var name: String
    var place: Place
}

/// A step as the file has it, before names are resolved and overrides applied.
struct StepDraft {
    /// Nil when it is missing or not a name.
    var name: String?
    /// The place of the name, or of the whole step.
    var place: Place
    var description: String?
    var handler = HandlerDraft()
    var dependencies: [Reference] = []
    var retry = RetryKeys()
    var timeout: Milliseconds?
    var resultSchema: JSONText?
    var details: [JSON.Member] = []

    /// For messages: `step 'route'`.
    var title: String { name.map { "step '\($0)'" } ?? "a step" }
}

struct HandlerDraft {
    var target: HandlerTemplate.Target?
    var initialization: [JSON.Member] = []
    var environment: [EnvironmentVariable] = []
    var workingDirectory: String?
}

/// The keys of a retry policy that are written; what is not written is left to the defaults, or to what it overrides.
struct RetryKeys {
    var place: Place?
    var retryable: Bool?
    var attemptsMax: Int?
    var backoff: RetryPolicy.Backoff?
    var initialDelay: Milliseconds?
    var maximumDelay: Milliseconds?
    var jitter: Bool?
    var lossesMax: Int?

    /// These keys, where `other` has none.
    func overridden(by other: RetryKeys) -> RetryKeys {
        RetryKeys(
            place: other.place ?? place, retryable: other.retryable ?? retryable,
            attemptsMax: other.attemptsMax ?? attemptsMax, backoff: other.backoff ?? backoff,
            initialDelay: other.initialDelay ?? initialDelay, maximumDelay: other.maximumDelay ?? maximumDelay,
            jitter: other.jitter ?? jitter, lossesMax: other.lossesMax ?? lossesMax)
    }

    /// The policy, with ``RetryPolicy``'s own defaults.
    var policy: RetryPolicy {
        var policy = RetryPolicy()
        policy.retryable = retryable ?? policy.retryable
        policy.attemptsMax = attemptsMax ?? policy.attemptsMax
        policy.backoff = backoff ?? policy.backoff
        policy.initialDelay = initialDelay ?? policy.initialDelay
        policy.maximumDelay = maximumDelay ?? policy.maximumDelay
        policy.jitter = jitter ?? policy.jitter
        policy.lossesMax = lossesMax ?? policy.lossesMax
        return policy
    }
}

/// What an environment changes in one step, or in all.
struct OverrideDraft {
    /// `ALL`, or a step.
    var target: Reference
    var initialization: [JSON.Member] = []
    var timeout: Milliseconds?
    var retry = RetryKeys()

    static let all = "ALL"
}

struct EnvironmentDraft {
    var name: String
    var place: Place
    var overrides: [OverrideDraft] = []
}
