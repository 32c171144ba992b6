extension Timestamp {
    /// A moment in ISO 8601, such as `2026-11-24T02:00:31.042Z`, `2026-11-24T03:00+01:00` or `2026-11-24`. Seconds, their
    /// fraction, the time and the offset may be left out; without an offset it is UTC. Nil for anything else.
    public init?(_ text: String) {
        var reader = Digits(text)
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let day = reader.number(2), 1...12 ~= month, 1...Self.days(in: month, of: year) ~= day
        else { return nil }
        var milliseconds = Self.dayNumber(year, month, day) * 86_400_000
        if !reader.isAtEnd {
            guard reader.take("T") || reader.take("t") || reader.take(" "), let time = reader.timeOfDay(),
                let offset = reader.offset(), reader.isAtEnd
            else { return nil }
            milliseconds += time - offset
        }
        self.init(milliseconds: milliseconds)
    }

    /// Milliseconds since midnight that `02:00`, `02:00:31` or `02:00:31.042` stands for; nil for anything else.
    package static func timeOfDay(_ text: String) -> Int64? {
        var reader = Digits(text)
        guard let time = reader.timeOfDay(), reader.isAtEnd else { return nil }
        return time
    }

    /// The first moment of the day, in UTC.
    package var startOfDay: Timestamp {
        let ofDay = (milliseconds % 86_400_000 + 86_400_000) % 86_400_000
        return Timestamp(milliseconds: milliseconds - ofDay)
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01, by eras of 400 years that begin on the first of March; the inverse of `description`.
    private static func dayNumber(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let marchYear = month <= 2 ? year - 1 : year
        let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}

extension Milliseconds {
    /// A length of time such as `90s`, `10m`, `2h`, `7d` or `250ms`; nil for anything else.
    package init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && $0.isWholeNumber }
        let unit: Int64? =
            switch text.dropFirst(digits.count) {
            case "ms": 1
            case "s": 1000
            case "m": 60_000
            case "h": 3_600_000
            case "d": 86_400_000
            default: nil
            }
        guard let count = Int64(digits), let unit else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: unit)
        guard !overflow else { return nil }
        self.init(product)
    }
}

/// Reads numbers of fixed width from the front of a text.
private struct Digits {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = text[...].utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ character: Character) -> Bool {
        guard rest.first == character.asciiValue else { return false }
        rest.removeFirst()
        return true
    }

    mutating func number(_ width: Int) -> Int64? {
        let digits = rest.prefix(width)
        guard digits.count == width, digits.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        rest.removeFirst(width)
        return digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }

    /// Milliseconds since midnight. A fraction is read to the millisecond, and what is finer is left out.
    mutating func timeOfDay() -> Int64? {
        guard let hour = number(2), take(":"), let minute = number(2), hour < 24, minute < 60 else { return nil }
        var milliseconds = (hour * 60 + minute) * 60_000
        guard take(":") else { return milliseconds }
        guard let second = number(2), second < 60 else { return nil }
        milliseconds += second * 1000
        guard take(".") || take(",") else { return milliseconds }
        let fraction = rest.prefix { 0x30...0x39 ~= $0 }
        guard !fraction.isEmpty else { return nil }
        rest.removeFirst(fraction.count)
        let places: [Int64] = [100, 10, 1]
        for (digit, place) in zip(fraction, places) { milliseconds += Int64(digit - 0x30) * place }
        return milliseconds
    }

    /// Milliseconds east of UTC; none stands for UTC.
    mutating func offset() -> Int64? {
        if isAtEnd || take("Z") || take("z") { return 0 }
        let isWest = take("-")
        guard isWest || take("+"), let hours = number(2), hours < 24 else { return nil }
        _ = take(":")
        let minutes = isAtEnd ? 0 : number(2)
        guard let minutes, minutes < 60 else { return nil }
        return (hours * 60 + minutes) * 60_000 * (isWest ? -1 : 1)
    }
}
