package import StepwellModel

/// How far a log is read: to its end, up to an event, or as far as it had come at a time.
package enum Moment: Hashable, Sendable {
    case end
    case event(SequenceNumber)
    case time(Timestamp)

    package func includes(_ record: EventRecord) -> Bool {
        switch self {
        case .end: true
        case .event(let number): record.number <= number
        case .time(let time): record.time <= time
        }
    }
}

/// A moment as people write it.
package enum MomentText: Hashable, Sendable {
    case event(SequenceNumber)
    case time(Timestamp)
    /// Milliseconds since midnight, of a day that only the log knows.
    case timeOfDay(Int64)
    case ago(Milliseconds)

    /// Reads `412`, `#412`, `2026-11-24T02:00:31Z`, `02:00:31` or `-10m`; nil for anything else. A time without a fraction of a
    /// second is the end of that second.
    package init?(_ text: String) {
        let number = text.hasPrefix("#") ? text.dropFirst() : text[...]
        // A whole second is shown of all that happened within it, and so it is meant to its end.
        let isWhole = text.contains(":") && !text.contains { ".,".contains($0) }
        let rest: Int64 = isWhole ? 999 : 0
        if let seq = UInt64(number), number.first != "+" {
            self = .event(SequenceNumber(seq))
        } else if text.hasPrefix("-"), let length = Milliseconds(String(text.dropFirst())) {
            self = .ago(length)
        } else if let time = Timestamp(text) {
            self = .time(time.advanced(by: Milliseconds(rest)))
        } else if let time = Timestamp.timeOfDay(text) {
            self = .timeOfDay(time + rest)
        } else {
            return nil
        }
    }

    /// The moment that is meant.
    ///
    /// A time of day is one of the day on which `first` lies. If that is before `first`, and the same time a day later is not
    /// after `last`, it is that one: a night that begins at 23:50 goes on at 00:10.
    package func moment(first: Timestamp, last: Timestamp, now: Timestamp) -> Moment {
        switch self {
        case .event(let number): return .event(number)
        case .time(let time): return .time(time)
        case .ago(let length): return .time(now.advanced(by: Milliseconds(-length.rawValue)))
        case .timeOfDay(let offset):
            let time = first.startOfDay.advanced(by: Milliseconds(offset))
            let nextDay = time.advanced(by: .seconds(86_400))
            return .time(time < first && nextDay <= last ? nextDay : time)
        }
    }
}
