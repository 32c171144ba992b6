import Testing

@testable import StepwellModel

@Suite("The bucket of a rate")
struct TokenBucketTests {
    private func at(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

    @Test("begins full, and gives no more than it has")
    func burst() {
        let rate = StartRate(count: 2, period: .seconds(1), burst: 3)
        var bucket = TokenBucket(full: rate, at: at(0))
        for _ in 0..<3 {
            #expect(bucket.hasToken(rate, at: at(0)))
            bucket.take(rate, at: at(0))
        }
        #expect(!bucket.hasToken(rate, at: at(0)))
        #expect(bucket.due(rate) == at(500))
        #expect(!bucket.hasToken(rate, at: at(499)))
        #expect(bucket.hasToken(rate, at: at(500)))
        #expect(bucket.level(rate, at: at(1_000_000)) == 3000)
    }

    @Test("loses nothing to rounding: a rate that no millisecond divides is kept to the token")
    func exactness() {
        let rate = StartRate(count: 7, period: .seconds(1), burst: 1)
        var bucket = TokenBucket(full: rate, at: at(0))
        var starts: [Int64] = []
        for now in 0..<100_000 as Range<Int64> where bucket.hasToken(rate, at: at(now)) {
            bucket.take(rate, at: at(now))
            starts.append(now)
        }
        // One at once, and the last token of the hundred seconds falls at their very end.
        #expect(starts.count == 700)
        #expect(starts.prefix(4) == [0, 143, 286, 429])
    }

    @Test("in no stretch of time do more start than the burst and what has come", arguments: 0..<40 as Range<UInt64>)
    func windows(seed: UInt64) {
        var random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func number(_ range: ClosedRange<Int64>) -> Int64 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return range.lowerBound + Int64(random >> 33) % (range.upperBound - range.lowerBound + 1)
        }
        let rate = StartRate(
            count: Int(number(1...20)), period: Milliseconds(number(1...700)), burst: Int(number(1...6)))
        var bucket = TokenBucket(full: rate, at: at(0))
        var (now, starts): (Int64, [Int64]) = (0, [])
        for _ in 0..<300 {
            now += number(0...40)
            while bucket.hasToken(rate, at: at(now)) {
                bucket.take(rate, at: at(now))
                starts.append(now)
            }
            #expect(bucket.due(rate) > at(now))
        }
        for (first, start) in starts.enumerated() {
            for (last, end) in starts.enumerated().dropFirst(first) {
                let most = Int64(rate.burst) * rate.period.rawValue + (end - start) * Int64(rate.count)
                #expect(Int64(last - first + 1) * rate.period.rawValue <= most)
            }
        }
    }

    @Test("another rate keeps what is there, as far as it fits")
    func change() {
        let (old, new) = (
            StartRate(count: 1, period: .seconds(1), burst: 4), StartRate(count: 5, period: .seconds(60), burst: 2)
        )
        var bucket = TokenBucket(full: old, at: at(0))
        bucket.change(from: old, to: new, at: at(0))
        #expect(bucket.level(new, at: at(0)) == 120_000)
        for _ in 0..<2 { bucket.take(new, at: at(0)) }
        bucket.change(from: new, to: old, at: at(0))
        #expect(bucket.level(old, at: at(0)) == 0)
        #expect(bucket.due(old) == at(1000))
    }

    @Test("the longest times and the greatest numbers stay whole")
    func bounds() {
        let rate = StartRate(count: 1, period: StartRate.periodMax, burst: StartRate.countMax)
        var bucket = TokenBucket(full: rate, at: at(0))
        for _ in 0..<10 { bucket.take(rate, at: at(0)) }
        #expect(bucket.level(rate, at: at(.max)) == TokenBucket(full: rate, at: at(0)).level)
        let fast = StartRate(count: StartRate.countMax, period: Milliseconds(1), burst: StartRate.countMax)
        bucket.change(from: rate, to: fast, at: at(5))
        #expect(bucket.level(fast, at: at(6)) == 1_000_000)
        // Taken beyond what is there, by a log of other rules.
        for _ in 0..<3_000_000 { bucket.take(fast, at: at(6)) }
        #expect(bucket.level(fast, at: at(6)) == -1_000_000)
    }

    @Test("is written as it is read", arguments: ["10/s", "100/min", "3/h", "1/day", "7/1500ms"])
    func words(_ text: String) throws {
        let rate = try #require(StartRate(text))
        #expect(rate.description == text)
        #expect(rate.burst == rate.count)
    }

    @Test("is refused in other words", arguments: ["", "10", "10/", "/s", "10/week", "1.5/s", "10/s/s", "x/s", "1/ms"])
    func nonsense(_ text: String) { #expect(StartRate(text) == nil) }

    @Test("a limit says something, within bounds")
    func faults() {
        let target = LimitTarget(.handler, "h")
        #expect(LimitSetting(target, concurrencyMax: 0).fault == nil)
        #expect(LimitSetting(target).fault != nil)
        #expect(LimitSetting(LimitTarget(.handler, ""), concurrencyMax: 1).fault != nil)
        #expect(LimitSetting(target, concurrencyMax: -1).fault != nil)
        for (count, period, burst) in [(0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 86_400_001, 1), (1_000_001, 1, 1)] {
            let rate = StartRate(count: count, period: Milliseconds(Int64(period)), burst: burst)
            #expect(LimitSetting(target, rate: rate).fault != nil)
        }
    }
}
