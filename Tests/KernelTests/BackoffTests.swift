import StepwellKernel
import StepwellModel
import Testing

@Suite("How long a step waits between attempts")
struct BackoffTests {
    private let task = TaskID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0001)

    private func waits(
        _ policy: RetryPolicy, _ attempts: ClosedRange<Int> = 1...8, asked: Int64? = nil, step: StepIndex = 0
    ) -> [Int64] {
        attempts.map { attempt in
            Backoff.delay(policy, attempt: attempt, asked: asked.map { Milliseconds($0) }, task: task, step: step)
                .rawValue
        }
    }

    @Test(
        "The kinds of backoff",
        arguments: [
            (RetryPolicy.Backoff.none, [0, 0, 0, 0, 0, 0, 0, 0]),
            (.linear, [100, 200, 300, 400, 500, 600, 700, 800]),
            (.exponential, [100, 200, 400, 800, 1600, 3200, 6400, 12_800]),
            (.fibonacci, [100, 100, 200, 300, 500, 800, 1300, 2100]),
        ] as [(RetryPolicy.Backoff, [Int64])])
    func kinds(kind: RetryPolicy.Backoff, expected: [Int64]) {
        #expect(waits(RetryPolicy(backoff: kind, initialDelay: Milliseconds(100))) == expected)
    }

    @Test("Without a word in the template a step waits 1 s, 2 s, 4 s and so on, at most 30 s")
    func defaults() {
        #expect(waits(RetryPolicy()) == [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
    }

    @Test(
        "No wait is longer than the maximum, however many attempts there were", arguments: RetryPolicy.Backoff.allCases)
    func maximum(kind: RetryPolicy.Backoff) {
        let policy = RetryPolicy(
            attemptsMax: 65_535, backoff: kind, initialDelay: .seconds(1), maximumDelay: Milliseconds(2500))
        for attempt in [4, 62, 63, 64, 89, 90, 91, 1000, 65_535] {
            #expect(waits(policy, attempt...attempt) == [kind == .none ? 0 : 2500])
        }
    }

    @Test("Not even the longest of all waits overflows", arguments: RetryPolicy.Backoff.allCases)
    func overflow(kind: RetryPolicy.Backoff) {
        let policy = RetryPolicy(
            backoff: kind, initialDelay: Milliseconds(.max), maximumDelay: Milliseconds(.max), jitter: true)
        for attempt in [1, 2, 62, 63, 90, 65_535] {
            let wait = waits(policy, attempt...attempt)[0]
            #expect(kind == .none ? wait == 0 : wait >= Int64.max / 5 * 4)
        }
    }

    @Test("A wait that the handler asks for wins over every kind, and is capped at the maximum")
    func asked() {
        let policy = RetryPolicy(backoff: .exponential, maximumDelay: .seconds(10), jitter: true)
        #expect(waits(policy, 1...3, asked: 70) == [70, 70, 70])
        #expect(waits(policy, 1...3, asked: 10_001) == [10_000, 10_000, 10_000])
        #expect(waits(policy, 2...2, asked: 0) == [0])
        #expect(waits(policy, 2...2, asked: -5) == [0])
        #expect(waits(RetryPolicy(backoff: .none), 1...1, asked: 400) == [400])
    }

    @Test("Jitter moves a wait by up to its fifth part, and always in the same way")
    func jitter() {
        let policy = RetryPolicy(
            backoff: .linear, initialDelay: .seconds(10), maximumDelay: Milliseconds(.max), jitter: true)
        let spread = waits(policy, 1...200)
        for (place, wait) in spread.enumerated() {
            let plain = Int64(place + 1) * 10_000
            #expect(plain * 4 / 5 <= wait && wait <= plain * 6 / 5)
        }
        #expect(waits(policy, 1...200) == spread)
        let shorter = spread.enumerated().count { $1 < Int64($0 + 1) * 10_000 }
        #expect(60...140 ~= shorter, "\(shorter) of 200 waits are shorter")
    }

    @Test("Jitter differs between steps, between tasks and between attempts")
    func jitterSpreads() {
        let policy = RetryPolicy(
            backoff: .linear, initialDelay: .seconds(1000), maximumDelay: .seconds(1000), jitter: true)
        func wait(_ task: TaskID, step: StepIndex, attempt: Int) -> Milliseconds {
            Backoff.delay(
                RetryPolicy(backoff: .linear, initialDelay: .seconds(1000), maximumDelay: .seconds(9000), jitter: true),
                attempt: attempt, asked: nil, task: task, step: step)
        }
        #expect(Set((0..<50).map { wait(task, step: $0, attempt: 1) }).count > 45)
        #expect(Set((0..<50).map { wait(TaskID(high: 1, low: $0), step: 0, attempt: 1) }).count > 45)
        // At the maximum jitter only shortens.
        #expect(waits(policy, 1...50).allSatisfy { 800_000...1_000_000 ~= $0 })
        #expect(Set(waits(policy, 1...50)).count > 20)
    }

    @Test("Without jitter all tasks and steps wait alike")
    func noJitter() {
        #expect(!RetryPolicy().jitter)
        let policy = RetryPolicy()
        let waits = (0..<20).map { step in
            Backoff.delay(policy, attempt: 2, asked: nil, task: TaskID(high: 3, low: UInt64(step)), step: step)
        }
        #expect(Set(waits) == [.seconds(2)])
    }
}
