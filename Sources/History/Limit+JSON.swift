package import StepwellKernel
package import StepwellLog
package import StepwellModel

/// A limit as people and programs see it: what was set, by whom and why, and how far it is used.
package struct LimitReport: Sendable {
    package let setting: LimitSetting
    /// The event that has set it.
    package let record: EventRecord
    package let reason: String?
    /// Attempts that workers hold, and steps that wait because of it; nil when nobody knows who is at work.
    package let running: Int?
    package let waiting: Int?
    /// When its rate lets the next one start, if any waits for that.
    package let due: Timestamp?

    /// As the store has it, whoever is at work.
    package static func all(in log: any EventReader) throws -> [LimitReport] {
        try log.limits().map { try LimitReport($0.number, in: log) }.sorted { $0.setting.target < $1.setting.target }
    }

    package init(_ use: LimitUse, in log: any EventSource) throws {
        try self.init(use.number, use, in: log)
    }

    private init(_ number: SequenceNumber, _ use: LimitUse? = nil, in log: any EventSource) throws {
        guard let record = try log.event(number), case .limitSet(let change) = record.event else {
            throw LogError.corrupt("the event that sets a limit should be here", at: number)
        }
        (self.record, setting, reason) = (record, change.setting, change.reason)
        (running, waiting) = (use?.running, use?.waiting)
        due = use.flatMap { $0.waiting > 0 ? $0.due : nil }
    }

    package var json: JSON {
        let rate = setting.rate
        func number(_ value: Int?) -> JSON { value.map { .number(String($0)) } ?? .null }
        return [
            "scope": .string(setting.target.scope.name), "name": .string(setting.target.name),
            "concurrency_max": number(setting.concurrencyMax),
            "rate": rate.map { .string($0.description) } ?? .null, "burst": number(rate?.burst),
            "running": number(running), "waiting": number(waiting),
            "due_at": due.map { .string($0.description) } ?? .null,
            "event": .number(String(record.number.rawValue)), "set_at": .string(record.time.description),
            "set_by": .string(record.actor.told), "reason": reason.map(JSON.string) ?? .null,
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
