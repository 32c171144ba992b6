package import StepwellModel

/// Makes the log's time of a clock that may be set and one that nobody sets.
///
/// It is the time of day, as long as that goes on. When the time of day is set back, the log's time goes on from where it was, at
/// half speed: what waits for a time still comes due, at most twice as late; and the time of day, which gains half a second each
/// second, catches up.
package struct LogClock: Sendable {
    /// When the log's time was last the time of day; its `wall` is the log's time.
    private var start: ClockReading
    private var last: ClockReading
    /// Whether the time of day was set back between the last two readings.
    package private(set) var isSetBack = false

    /// - Parameters:
    ///   - time: of the log's last event. The time of day may be behind it.
    ///   - monotonic: now.
    package init(from time: Timestamp, at monotonic: Milliseconds) {
        start = ClockReading(wall: time, monotonic: monotonic)
        last = start
    }

    /// The log's time; never less than before.
    package mutating func time(at reading: ClockReading) -> Timestamp {
        let slow = start.wallAtHalfSpeed(at: reading.monotonic)
        // A clock that is slowed down to be put right is not set back: it keeps more than half its speed.
        isSetBack = reading.wall < last.wallAtHalfSpeed(at: reading.monotonic)
        last = reading
        guard reading.wall >= slow else { return slow }
        start = reading
        return reading.wall
    }

    /// How long it takes until the log's time is `due`, if nobody sets the clock.
    package func delay(until due: Timestamp, at reading: ClockReading) -> Milliseconds {
        let byWall = max(.zero, due - reading.wall)
        let bySlow = max(.zero, due - start.wallAtHalfSpeed(at: reading.monotonic))
        // Whichever is there first; the slow one takes twice its time.
        return bySlow.rawValue < byWall.rawValue - bySlow.rawValue ? Milliseconds(2 * bySlow.rawValue) : byWall
    }
}

extension ClockReading {
    /// What a clock shows that was right at this reading and has since gone at half speed.
    fileprivate func wallAtHalfSpeed(at monotonic: Milliseconds) -> Timestamp {
        wall.advanced(by: Milliseconds((monotonic.rawValue - self.monotonic.rawValue) / 2))
    }
}
