/// How many attempts a rate lets start now. Whole numbers only, of the log's time: the same starts leave the same bucket on every
/// machine.
package struct TokenBucket: Hashable, Sendable {
    /// What was there at ``time``: tokens, times the milliseconds of the rate's period. In these units a millisecond brings just
    /// as much as the rate's count.
    package private(set) var level: Int64
    package private(set) var time: Timestamp

    /// A bucket as it was written down.
    package init(level: Int64, time: Timestamp) {
        self.level = level
        self.time = time
    }

    package init(full rate: StartRate, at time: Timestamp) {
        self.init(level: rate.capacity, time: time)
    }

    /// What is there at a time.
    package func level(_ rate: StartRate, at now: Timestamp) -> Int64 {
        let missing = rate.capacity - level
        guard missing > 0, now > time else { return level }
        let elapsed = (now - time).rawValue
        // Not by a product of what may be years.
        return elapsed >= rate.time(for: missing) ? rate.capacity : level + elapsed * Int64(rate.count)
    }

    package func hasToken(_ rate: StartRate, at now: Timestamp) -> Bool { level(rate, at: now) >= rate.token }

    /// When there is a token, if none is taken before.
    package func due(_ rate: StartRate) -> Timestamp {
        level >= rate.token ? time : time.advanced(by: Milliseconds(rate.time(for: rate.token - level)))
    }

    /// Takes a token, also one that is not there: that a start is within its limit, the scheduler has seen to.
    package mutating func take(_ rate: StartRate, at now: Timestamp) {
        level = max(level(rate, at: now) - rate.token, -rate.capacity)
        time = max(time, now)
    }

    /// Another rate applies: what is there stays there, as far as it fits.
    package mutating func change(from old: StartRate, to new: StartRate, at now: Timestamp) {
        let (tokens, rest) = level(old, at: now).quotientAndRemainder(dividingBy: old.token)
        level = min(tokens * new.token + rest * new.token / old.token, new.capacity)
        time = max(time, now)
    }
}

extension StartRate {
    /// One token in the bucket's units.
    fileprivate var token: Int64 { period.rawValue }
    fileprivate var capacity: Int64 { Int64(burst) * token }

    /// How many milliseconds bring at least so much.
    fileprivate func time(for amount: Int64) -> Int64 { (amount + Int64(count) - 1) / Int64(count) }
}

/// A limit as the log's table of limits keeps it, so that a start of the engine need not fold all that has ever started.
package struct LimitRow: Hashable, Sendable {
    /// The event that has set it.
    package var number: SequenceNumber
    /// Of a limit with a rate.
    package var bucket: TokenBucket?

    package init(number: SequenceNumber, bucket: TokenBucket?) {
        self.number = number
        self.bucket = bucket
    }
}
