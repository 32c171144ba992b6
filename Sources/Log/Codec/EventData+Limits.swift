import StepwellModel

// Limits: `limit.set`, `limit.removed`, `limit.due`.

extension EventData {
    /// The event of that type, which is one of the three.
    static func limitEvent(_ type: EventType, from reader: inout CBORReader) throws(CBORError) -> Event {
        var note: String?
        var name: String?
        var scope: LimitTarget.Scope?
        var concurrencyMax: Int?
        var rate: Int?
        var period: Milliseconds?
        var burst: Int?
        var limit: SequenceNumber?
        var keys = try reader.map()
        while let key = try reader.key(&keys) {
            switch key {
            case Key.note: note = try reader.text()
            case Key.name: name = try reader.text()
            case Key.scope: scope = try reader.enumeration()
            case Key.concurrencyMax: concurrencyMax = try reader.unsigned(as: Int.self)
            case Key.rate: rate = try reader.unsigned(as: Int.self)
            case Key.period: period = Milliseconds(try reader.integer())
            case Key.burst: burst = try reader.unsigned(as: Int.self)
            case Key.limit: limit = SequenceNumber(try reader.unsigned())
            default: try reader.skip()
            }
        }
        let missing = CBORError(.missing, at: reader.offset)
        if type == .limitDue {
            guard let limit else { throw missing }
            return .limitDue(limit)
        }
        guard let name, let scope else { throw missing }
        let target = LimitTarget(scope, name)
        if type == .limitRemoved {
            guard let limit else { throw missing }
            return .limitRemoved(LimitRemoval(target, limit: limit, reason: note))
        }
        var setting = LimitSetting(target, concurrencyMax: concurrencyMax)
        if let rate, let period, let burst { setting.rate = StartRate(count: rate, period: period, burst: burst) }
        // What no engine sets would not be safe to count with.
        guard setting.fault == nil else { throw CBORError(.outOfRange, at: reader.offset) }
        return .limitSet(LimitChange(setting, previous: limit ?? .zero, reason: note))
    }
}
