import StepwellModel

/// Reads a `retry` block.
struct RetryReader {
    static let delayMax = Milliseconds(3_600_000)
    static let attemptsMax = 100
    static let lossesMax = 1000

    private let fields: Fields
    private var findings: Findings { fields.findings }

    static func read(_ key: String, of owner: Fields) -> RetryKeys? {
        owner.fields(key, .retry).map { RetryReader(fields: $0).read() }
    }

    private func read() -> RetryKeys {
        RetryKeys(
            place: fields.place, retryable: fields.boolean("retryable"), attemptsMax: attempts, backoff: backoff,
            initialDelay: delay("backoff_base_ms", inSeconds: "initial_delay"),
            maximumDelay: delay("max_backoff_ms", inSeconds: "max_delay"), jitter: fields.boolean("jitter"),
            lossesMax: fields.integer("max_lost_attempts", in: 0...Self.lossesMax))
    }

    /// Zero is what other engines' templates write for "the first attempt alone".
    private var attempts: Int? {
        let range = 0...Self.attemptsMax
        let new = fields.integer("max_attempts", in: range)
        let old = fields.integer("limit", in: range)
        if let new, let old, new != old { overrule("limit", by: "max_attempts") }
        guard let attempts = new ?? old else { return nil }
        if attempts == 0, let entry = fields.entry(new == nil ? "limit" : "max_attempts") {
            findings.warn(
                .raisedToOne, at: entry.value.place, "'\(entry.name): 0' counts as 1: the first attempt is always made",
                cure: "write 'max_attempts: 1'")
        }
        return max(1, attempts)
    }

    private var backoff: RetryPolicy.Backoff? {
        fields.node("backoff").flatMap { findings.choice($0, "backoff", among: RetryPolicy.Backoff.names) }
            .flatMap { RetryPolicy.Backoff(name: $0) }
    }

    /// A delay has a name for milliseconds and an older one for seconds; the first wins, as it does where templates come from.
    private func delay(_ key: String, inSeconds old: String) -> Milliseconds? {
        let milliseconds = fields.integer(key, in: 0...Int(Self.delayMax.rawValue)).map { Milliseconds(Int64($0)) }
        let seconds = fields.seconds(old, in: .zero...Self.delayMax)
        if let milliseconds, let seconds, milliseconds != seconds { overrule(old, by: key) }
        return milliseconds ?? seconds
    }

    private func overrule(_ old: String, by new: String) {
        guard let entry = fields.entry(old) else { return }
        findings.warn(
            .overruledKey, at: entry.place, "'\(old)' has no effect beside '\(new)', which says otherwise",
            cure: "remove one of them")
    }
}

extension RetryPolicy.Backoff {
    static let names = ["none", "linear", "exponential", "fibonacci"]

    init?(name: String) {
        switch name {
        case "none": self = .none
        case "linear": self = .linear
        case "exponential": self = .exponential
        case "fibonacci": self = .fibonacci
        default: return nil
        }
    }
}
