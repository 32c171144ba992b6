/// What a limit counts the attempts of.
public struct LimitTarget: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The numbers are those of the log and never change.
    public enum Scope: UInt8, Hashable, Sendable, CaseIterable {
        /// All steps of templates in the namespace.
        case namespace = 0
        /// All steps with the handler, whatever their namespaces.
        case handler = 1

        /// The word used in JSON, paths and documents.
        public var name: String {
            switch self {
            case .namespace: "namespace"
            case .handler: "handler"
            }
        }

        public init?(name: String) {
            guard let scope = Self.allCases.first(where: { $0.name == name }) else { return nil }
            self = scope
        }
    }

    public var scope: Scope
    public var name: String

    public init(_ scope: Scope, _ name: String) {
        self.scope = scope
        self.name = name
    }

    public static func < (left: LimitTarget, right: LimitTarget) -> Bool {
        (left.scope.rawValue, left.name) < (right.scope.rawValue, right.name)
    }

    public var description: String { "\(scope.name) '\(name)'" }
}

/// How many attempts may start in a time: a bucket with `burst` tokens at most, into which `count` fall in each period, evenly.
/// Each start takes one. So in any time no more start than `burst`, and `count` for each period of it.
public struct StartRate: Hashable, Sendable, CustomStringConvertible {
    public var count: Int
    public var period: Milliseconds
    public var burst: Int

    // Within these, tokens times milliseconds are far from the end of the whole numbers.
    public static let countMax = 1_000_000
    public static let periodMax = Milliseconds(86_400_000)

    public init(count: Int, period: Milliseconds, burst: Int) {
        self.count = count
        self.period = period
        self.burst = burst
    }

    /// Such as `10/s`, `100/min` or `3/1500ms`; what ``init(_:burst:)`` reads.
    public var description: String {
        let unit = Unit.allCases.first { $0.milliseconds == period.rawValue }?.rawValue
        return "\(count)/\(unit ?? "\(period.rawValue)ms")"
    }

    /// Reads `10/s`, `100/min`, `3/h`, `1/day` or `3/1500ms`; nil for anything else. Without a burst it is the count.
    public init?(_ text: String, burst: Int? = nil) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Int(parts[0]) else { return nil }
        let period: Int64
        if let unit = Unit(rawValue: String(parts[1])) {
            period = unit.milliseconds
        } else {
            guard parts[1].hasSuffix("ms"), let number = Int64(parts[1].dropLast(2)) else { return nil }
            period = number
        }
        self.init(count: count, period: Milliseconds(period), burst: burst ?? count)
    }

    private enum Unit: String, CaseIterable {
        case s, min, h, day

        var milliseconds: Int64 {
            switch self {
            case .s: 1000
            case .min: 60_000
            case .h: 3_600_000
            case .day: 86_400_000
            }
        }
    }
}

/// What an operator has set for a target.
public struct LimitSetting: Hashable, Sendable {
    public var target: LimitTarget
    /// How many attempts may run at the same time; 0: nothing starts.
    public var concurrencyMax: Int?
    public var rate: StartRate?

    /// How many limits there may be.
    public static let countMax = 10_000
    public static let nameBytesMax = 255

    public init(_ target: LimitTarget, concurrencyMax: Int? = nil, rate: StartRate? = nil) {
        self.target = target
        self.concurrencyMax = concurrencyMax
        self.rate = rate
    }

    /// Why it cannot be set; nil if it can.
    public var fault: String? {
        if target.name.isEmpty { return "names no \(target.scope.name)" }
        if target.name.utf8.count > Self.nameBytesMax { return "has a name of more than \(Self.nameBytesMax) bytes" }
        if concurrencyMax == nil, rate == nil {
            return "says neither how many attempts run at once nor how fast they start"
        }
        if let most = concurrencyMax, !(0...StartRate.countMax ~= most) {
            return "allows \(most) attempts at once, which is not between 0 and \(StartRate.countMax)"
        }
        guard let rate else { return nil }
        if !(1...StartRate.countMax ~= rate.count) {
            return "has a rate of \(rate.count) starts, which is not between 1 and \(StartRate.countMax)"
        }
        if !(Milliseconds(1)...StartRate.periodMax ~= rate.period) {
            return "has a rate for \(rate.period.rawValue) ms, which is not between 1 ms and a day"
        }
        if !(1...StartRate.countMax ~= rate.burst) {
            return "has a burst of \(rate.burst), which is not between 1 and \(StartRate.countMax)"
        }
        return nil
    }
}

/// A limit was set, or set anew.
public struct LimitChange: Hashable, Sendable {
    public var setting: LimitSetting
    /// The event that had set the target's limit before; zero if it had none.
    public var previous: SequenceNumber
    /// An operator's words.
    public var reason: String?

    public init(_ setting: LimitSetting, previous: SequenceNumber = .zero, reason: String? = nil) {
        self.setting = setting
        self.previous = previous
        self.reason = reason
    }
}

/// A limit is no more.
public struct LimitRemoval: Hashable, Sendable {
    public var target: LimitTarget
    /// The event that had set it.
    public var limit: SequenceNumber
    /// An operator's words.
    public var reason: String?

    public init(_ target: LimitTarget, limit: SequenceNumber, reason: String? = nil) {
        self.target = target
        self.limit = limit
        self.reason = reason
    }
}
