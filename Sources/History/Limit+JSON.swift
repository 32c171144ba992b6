package import StepwellKernel
package import StepwellLog
package import StepwellModel

/// A limit as people and programs see it: what was set, by whom and why, and how far it is used.
package struct LimitReport: Sendable {
    package let use: LimitUse
    /// The event that has set it; nil when the log does not have it.
    package let record: EventRecord?

    package init(_ use: LimitUse, in log: any EventSource) throws(LogError) {
        self.use = use
        record = try log.event(use.number)
    }

    package var reason: String? {
        guard case .limitSet(let change) = record?.event else { return nil }
        return change.reason
    }

    /// Whether its rate holds up steps.
    private var due: Timestamp? { use.waiting > 0 ? use.due : nil }

    package var json: JSON {
        let rate = use.setting.rate
        func number(_ value: Int?) -> JSON { value.map { .number(String($0)) } ?? .null }
        return [
            "scope": .string(use.setting.target.scope.name), "name": .string(use.setting.target.name),
            "concurrency_max": number(use.setting.concurrencyMax),
            "rate": rate.map { .string($0.description) } ?? .null, "burst": number(rate?.burst),
            "running": number(use.running), "waiting": number(use.waiting),
            "due_at": due.map { .string($0.description) } ?? .null,
            "event": .number(String(use.number.rawValue)),
            "set_at": record.map { .string($0.time.description) } ?? .null,
            "set_by": record.map { .string($0.actor.told) } ?? .null,
            "reason": reason.map(JSON.string) ?? .null,
        ]
    }
}

extension LimitSetting {
    /// `at most 4 at once, 10/s with a burst of 20`.
    package var words: String {
        [
            concurrencyMax.map { "at most \($0) at once" },
            rate.map { "\($0)" + ($0.burst == $0.count ? "" : " with a burst of \($0.burst)") },
        ].compactMap(\.self).joined(separator: ", ")
    }
}
