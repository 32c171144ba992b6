package import StepwellModel

/// The wait between an attempt that failed and the next one.
package enum Backoff {
    /// Jitter makes a wait shorter or longer by up to its fifth part.
    package static let jitterDivisor: Int64 = 5

    /// The wait after the failure of attempt number `attempt` (from 1), by the policy, or as the handler asked.
    ///
    /// - exponential: initial × 2^(attempt-1), linear: initial × attempt, fibonacci: initial × 1, 1, 2, 3, 5 …, none: 0;
    ///   each capped at the policy's maximum, before and after jitter.
    package static func delay(
        _ policy: RetryPolicy, attempt: Int, asked: Milliseconds?, task: TaskID, step: StepIndex
    ) -> Milliseconds {
        let maximum = policy.maximumDelay
        if let asked { return min(max(asked, .zero), maximum) }
        let delay = min(plain(policy, attempt: attempt), maximum)
        guard policy.jitter, delay > .zero else { return delay }
        let spread = delay.rawValue / jitterDivisor
        let hash = mix(task.high ^ mix(task.low ^ mix(UInt64(step) << 32 | UInt64(attempt))))
        let offset = Int64(hash % UInt64(2 * spread + 1)) - spread
        // The longest of all waits plus its offset would overflow; the maximum caps it as any other.
        let (sum, overflow) = delay.rawValue.addingReportingOverflow(offset)
        return overflow ? maximum : min(Milliseconds(sum), maximum)
    }

    private static func plain(_ policy: RetryPolicy, attempt: Int) -> Milliseconds {
        let initial = policy.initialDelay.rawValue
        let factor: Int64 =
            switch policy.backoff {
            case .none: 0
            case .linear: Int64(attempt)
            case .exponential: attempt > 62 ? .max : 1 << Int64(attempt - 1)
            case .fibonacci: fibonacci(attempt)
            }
        let (product, overflow) = initial.multipliedReportingOverflow(by: factor)
        return Milliseconds(overflow ? .max : product)
    }

    private static func fibonacci(_ place: Int) -> Int64 {
        var (current, next): (Int64, Int64) = (1, 1)
        for _ in 1..<max(1, min(place, 90)) { (current, next) = (next, current + next) }
        return current
    }

    /// The finaliser of SplitMix64: spreads every bit of the input over the output, the same on every machine.
    private static func mix(_ value: UInt64) -> UInt64 {
        var bits = value &+ 0x9E37_79B9_7F4A_7C15
        bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        return bits ^ bits >> 31
    }
}
