package import StepwellModel

/// What a reader of the log notes down about limits: who runs, and when attempts have started. It counts the starts in a time, and
/// keeps no bucket.
package struct LimitLedger: Sendable {
    package struct Limit: Sendable {
        package let setting: LimitSetting
        package let number: SequenceNumber
        /// The starts since the rate is what it is.
        fileprivate var starts: [Timestamp] = []
        /// Whether the bucket was full at the beginning; else only an upper bound is known.
        package fileprivate(set) var isExact = true

        /// Whether the rate allows one more start at that time: in no stretch of time that ends there are too many.
        package func allowsStart(at time: Timestamp) -> Bool {
            guard let rate = setting.rate else { return true }
            for (place, start) in starts.enumerated() {
                let count = Int64(starts.count - place + 1)
                let most = Int64(rate.burst) * rate.period.rawValue + Int64(rate.count) * (time - start).rawValue
                if count * rate.period.rawValue > most { return false }
            }
            return true
        }
    }

    private struct Place: Hashable, Sendable {
        let namespace: String
        /// Nil for a command.
        let handler: String?

        func isCovered(by target: LimitTarget) -> Bool {
            switch target.scope {
            case .namespace: namespace == target.name
            case .handler: handler == target.name
            }
        }
    }

    package private(set) var all: [LimitTarget: Limit] = [:]
    private var held: [Lease: Place] = [:]
    private var handlerStarts: [Place: SequenceNumber] = [:]

    package var isEmpty: Bool { all.isEmpty }

    private static func place(_ namespace: String, _ handler: HandlerTemplate) -> Place {
        guard case .callable(let name, _) = handler.target else { return Place(namespace: namespace, handler: nil) }
        return Place(namespace: namespace, handler: name)
    }

    /// The limits that hold for a step.
    package func limits(_ namespace: String, _ handler: HandlerTemplate) -> [Limit] {
        guard !all.isEmpty else { return [] }
        var found = [LimitTarget(.namespace, namespace)]
        if case .callable(let name, _) = handler.target { found.append(LimitTarget(.handler, name)) }
        return found.compactMap { all[$0] }
    }

    package func running(_ target: LimitTarget) -> Int { held.values.count { $0.isCovered(by: target) } }

    /// Whether a limit surely lets such a step start at that time; false also when that is not known.
    package func surelyAllow(_ namespace: String, _ handler: HandlerTemplate, at time: Timestamp) -> Bool {
        limits(namespace, handler).allSatisfy { limit in
            if let most = limit.setting.concurrencyMax, running(limit.setting.target) >= most { return false }
            return limit.isExact && limit.allowsStart(at: time)
        }
    }

    /// The last start of the handler in the namespace, if the handler has a limit.
    package func groupStart(_ namespace: String, _ handler: HandlerTemplate) -> SequenceNumber? {
        let place = Self.place(namespace, handler)
        guard let name = place.handler, all[LimitTarget(.handler, name)] != nil else { return nil }
        return handlerStarts[place] ?? .zero
    }

    // MARK: Reading

    mutating func set(_ change: LimitChange, by number: SequenceNumber) {
        var limit = Limit(setting: change.setting, number: number)
        if let old = all[change.setting.target], let before = old.setting.rate {
            if before == change.setting.rate {
                (limit.starts, limit.isExact) = (old.starts, old.isExact)
            } else {
                limit.isExact = change.setting.rate == nil
            }
        }
        all[change.setting.target] = limit
    }

    mutating func remove(_ target: LimitTarget) { all[target] = nil }

    /// Nothing is held any more by what was there before the engine has started.
    mutating func forgetHeld() {
        held.removeAll()
        handlerStarts.removeAll()
    }

    mutating func start(_ namespace: String, _ handler: HandlerTemplate, _ record: EventRecord) {
        let place = Self.place(namespace, handler)
        held[record.number] = place
        handlerStarts[place] = record.number
        for target in all.keys where place.isCovered(by: target) { all[target]?.starts.append(record.time) }
    }

    mutating func end(_ lease: Lease) { held[lease] = nil }

    /// A worker has left, with all that it held and that was given up.
    mutating func end(where isGone: (Lease) -> Bool) {
        for lease in held.keys.filter(isGone) { held[lease] = nil }
    }
}

/// No more attempts of a limit's target run at once than it allows, and in no stretch of time do more start than its rate allows.
enum LimitsHold: EventInvariant {
    static let name = "limits"

    static func fault(in record: EventRecord, after ledger: Ledger) -> String? {
        switch record.event {
        case .attemptStarted(let start):
            guard let task = ledger.task(record.task) else { return nil }
            for limit in ledger.limits.limits(task.submission.namespace, task.template.steps[start.step].handler) {
                let target = limit.setting.target
                if let most = limit.setting.concurrencyMax, ledger.limits.running(target) >= most {
                    return
                        "step \(start.step) starts while \(ledger.limits.running(target)) of \(target) run, of \(most)"
                }
                guard limit.allowsStart(at: record.time) else {
                    return "step \(start.step) starts sooner than the rate of \(target) allows"
                }
            }
            return nil
        case .limitSet(let change):
            let known = ledger.limits.all[change.setting.target]?.number ?? .zero
            return change.previous == known ? nil : "the limit before it is \(known), not \(change.previous)"
        case .limitRemoved(let removal):
            return ledger.limits.all[removal.target]?.number == removal.limit ? nil : "a limit goes that there is not"
        case .limitDue(let number):
            guard let limit = ledger.limits.all.values.first(where: { $0.number == number }) else {
                return "a limit is due that there is not"
            }
            return limit.allowsStart(at: record.time) ? nil : "the limit of \(limit.setting.target) is due too early"
        default: return nil
        }
    }
}
