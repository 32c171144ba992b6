public import StepwellModel

/// A limit of a server, and how far it is used.
public struct RemoteLimit: Sendable {
    /// The namespace or the handler that it is for.
    public let target: LimitTarget
    /// How many attempts run at once at most; nil: no bound.
    public let concurrencyMax: Int?
    /// How many start in a time at most, such as `100/min`; nil: no bound.
    public let rate: String?
    /// How many start at once after a quiet time.
    public let burst: Int?
    public let running: Int?
    /// How many steps wait because of it.
    public let waiting: Int?
    /// When the rate lets the next attempt start, if one waits for that.
    public let due: Timestamp?
    /// When it was set, and by whom.
    public let set: Timestamp?
    public let setBy: String?
    public let reason: String?
    /// All that the server has said.
    public let json: JSON

    init(_ json: JSON) throws(BadAnswer) {
        guard let scope = LimitTarget.Scope(name: try json.text("scope")) else { throw BadAnswer(member: "scope") }
        target = LimitTarget(scope, try json.text("name"))
        (concurrencyMax, rate) = (json.count("concurrency_max"), json["rate"]?.string)
        (burst, running, waiting) = (json.count("burst"), json.count("running"), json.count("waiting"))
        (due, set) = (json.time("due_at"), json.time("set_at"))
        (setBy, reason) = (json["set_by"]?.string, json["reason"]?.string)
        self.json = json
    }
}
