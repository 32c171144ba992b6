import StepwellModel
import Testing

@Suite("A retry policy")
struct RetryPolicyTests {
    @Test("Says by default: three attempts, exponential from 1 s to 30 s, ten losses, no jitter")
    func defaults() {
        let policy = RetryPolicy()
        #expect((policy.retryable, policy.attemptsMax, policy.lossesMax, policy.jitter) == (true, 3, 10, false))
        #expect((policy.backoff, policy.initialDelay, policy.maximumDelay) == (.exponential, .seconds(1), .seconds(30)))
    }

    @Test(
        "Counts stay within what a step can count",
        arguments: [(0, 1), (-7, 1), (1, 1), (65_535, 65_535), (65_536, 65_535), (.max, 65_535), (.min, 1)])
    func counts(given: Int, kept: Int) {
        var policy = RetryPolicy(attemptsMax: given, lossesMax: given)
        #expect((policy.attemptsMax, policy.lossesMax) == (kept, kept))
        policy = RetryPolicy()
        (policy.attemptsMax, policy.lossesMax) = (given, given)
        #expect((policy.attemptsMax, policy.lossesMax) == (kept, kept))
    }
}
