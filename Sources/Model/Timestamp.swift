/// A moment: milliseconds since 1970-01-01 00:00 UTC, without leap seconds.
public struct Timestamp: Hashable, Comparable, Sendable {
    public var milliseconds: Int64

    @inlinable
    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    public static let zero = Timestamp(milliseconds: 0)

    @inlinable
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// The moment `delay` later; stops at the end of time instead of overflowing.
    @inlinable
    public func advanced(by delay: Milliseconds) -> Timestamp {
        let (sum, overflow) = milliseconds.addingReportingOverflow(delay.rawValue)
        return Timestamp(milliseconds: overflow ? .max : sum)
    }

    /// The time from `right` to `left`; stops at the longest there is instead of overflowing.
    @inlinable
    public static func - (left: Timestamp, right: Timestamp) -> Milliseconds {
        let (difference, overflow) = left.milliseconds.subtractingReportingOverflow(right.milliseconds)
        return Milliseconds(overflow ? (left < right ? .min : .max) : difference)
    }
}

/// A length of time in whole milliseconds.
public struct Milliseconds: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: Int64

    @inlinable
    public init(_ rawValue: Int64) {
        self.rawValue = rawValue
    }

    public static let zero = Milliseconds(0)

    public static func seconds(_ seconds: Int64) -> Milliseconds { Milliseconds(seconds * 1000) }

    @inlinable
    public static func < (left: Milliseconds, right: Milliseconds) -> Bool {
        left.rawValue < right.rawValue
    }

    /// For people: `350 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`.
    public var description: String {
        switch rawValue {
        case ..<1000: "\(rawValue) ms"
        case ..<60_000: "\(rawValue / 1000).\(rawValue % 1000 / 100) s"
        case ..<3_600_000: "\(rawValue / 60_000) min \(rawValue % 60_000 / 1000) s"
        default: "\(rawValue / 3_600_000) h \(rawValue % 3_600_000 / 60_000) min"
        }
    }
}

extension Timestamp: CustomStringConvertible {
    /// ISO 8601 in UTC with milliseconds, such as `2026-11-24T02:00:31.042Z`. The date comes from the day number by the
    /// proleptic Gregorian rules, in eras of 400 years that begin on the first of March.
    public var description: String {
        let days = milliseconds.flooredQuotient(86_400_000)
        // Not by a product: that of the first day of all does not fit.
        let ofDay = (milliseconds % 86_400_000 + 86_400_000) % 86_400_000
        let shifted = days + 719_468
        let era = shifted.flooredQuotient(146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let time =
            "\(padded(ofDay / 3_600_000)):\(padded(ofDay / 60_000 % 60)):\(padded(ofDay / 1000 % 60))"
            + ".\(padded(ofDay % 1000, 3))Z"
        return "\(padded(year, 4))-\(padded(month))-\(padded(day))T\(time)"
    }
}

private func padded(_ number: Int64, _ width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

extension Int64 {
    fileprivate func flooredQuotient(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
