import Glibc
package import StepwellModel

/// What the machine's two clocks say at the same moment.
package struct ClockReading: Hashable, Sendable {
    /// The time of day. Somebody may set it.
    package var wall: Timestamp
    /// A clock that nobody sets; it begins anywhere.
    package var monotonic: Milliseconds

    package init(wall: Timestamp, monotonic: Milliseconds) {
        self.wall = wall
        self.monotonic = monotonic
    }
}

/// Where the engine learns the time. The kernel never asks: a time reaches it inside a turn.
package protocol MachineClock: Sendable {
    func read() -> ClockReading
}

extension MachineClock {
    /// The time of day.
    package func now() -> Timestamp { read().wall }
}

/// The machine's clocks.
package struct SystemClock: MachineClock {
    package init() {}

    package func read() -> ClockReading {
        while true {
            let monotonic = monotonicMilliseconds()
            let wall = Timestamp(milliseconds: milliseconds(of: CLOCK_REALTIME))
            // Else the thread may have stood still between the two, and together they mean nothing.
            if monotonicMilliseconds() == monotonic {
                return ClockReading(wall: wall, monotonic: Milliseconds(monotonic))
            }
        }
    }
}

/// Milliseconds of a clock that nobody sets: for measuring, never for the log.
package func monotonicMilliseconds() -> Int64 { milliseconds(of: CLOCK_MONOTONIC) }

/// Nanoseconds of the same clock.
package func monotonicNanoseconds() -> Int64 { nanoseconds(of: CLOCK_MONOTONIC) }

private func milliseconds(of clock: clockid_t) -> Int64 { nanoseconds(of: clock) / 1_000_000 }

private func nanoseconds(of clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
