package import StepwellModel

/// A limit, and how far it is used.
package struct LimitUse: Hashable, Sendable {
    package let setting: LimitSetting
    /// The `limit.set` event, which tells who set it, when and why.
    package let number: SequenceNumber
    /// Attempts that workers hold, also those that were given up and have not ended yet.
    package let running: Int
    /// Steps that wait because of it.
    package let waiting: Int
    /// When its rate lets the next attempt start; not after the time for which it was asked, unless it holds them up.
    package let due: Timestamp?
}

extension State {
    /// The limits in force, by their targets.
    package func limits(at time: Timestamp) -> [LimitUse] {
        let waiting = lanes.waitingCounts(at: time)
        return lanes.limits.entries.enumerated().map { place, entry in
            LimitUse(
                setting: entry.setting, number: entry.number, running: entry.running, waiting: waiting[place],
                due: entry.due)
        }.sorted { $0.setting.target < $1.setting.target }
    }

    package func limit(of target: LimitTarget, at time: Timestamp) -> LimitUse? {
        limits(at: time).first { $0.setting.target == target }
    }

    /// The limits as the log's table of them should have them, in the order in which they were set.
    package var limitRows: [LimitRow] {
        lanes.limits.entries.map { LimitRow(number: $0.number, bucket: $0.bucket) }.sorted { $0.number < $1.number }
    }
}
