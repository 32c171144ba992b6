package import StepwellModel

/// Graphs and policies by chance.
extension SplitMix64 {
    /// The handlers that random templates name, and random workers offer.
    package static let handlers = ["load", "clean", "sum"]

    package mutating func template(named name: String = "story", steps count: Int) -> Template {
        let shape = number(0...5)
        return Template(
            namespace: "tests", name: name, version: "1",
            steps: (0..<count).map { place in
                StepTemplate(
                    name: "s\(place)", handler: handler(), dependencies: dependencies(of: place, count, shape),
                    retry: retryPolicy(), timeout: chance(30) ? Milliseconds(Int64(number(1...800))) : nil)
            })
    }

    private mutating func dependencies(of place: Int, _ count: Int, _ shape: Int) -> [StepIndex] {
        guard place > 0 else { return [] }
        switch shape {
        // A chain; a fan that opens at the first step and closes at the last; a row of diamonds; layers of four.
        case 0: return [place - 1]
        case 1: return place == count - 1 ? Array(0..<place) : [0]
        case 2: return place % 3 == 0 ? [place - 2, place - 1].filter { $0 >= 0 } : [place - place % 3]
        case 3: return (0..<4).map { place / 4 * 4 - 4 + $0 }.filter { $0 >= 0 && chance(60) }
        case 4: return chance(50) ? [] : [number(0...place - 1)]
        default:
            var some: [StepIndex] = []
            for _ in 0..<min(place, 5) {
                let other = number(0...place - 1)
                if !some.contains(other) { some.append(other) }
            }
            return some
        }
    }

    private mutating func handler() -> HandlerTemplate {
        chance(20) ? .command(["true"]) : .callable(pick(Self.handlers))
    }

    private mutating func retryPolicy() -> RetryPolicy {
        RetryPolicy(
            retryable: chance(92), attemptsMax: number(1...5), backoff: pick(RetryPolicy.Backoff.allCases),
            initialDelay: Milliseconds(Int64(number(0...300))), maximumDelay: Milliseconds(Int64(number(0...2000))),
            jitter: chance(30), lossesMax: number(1...3))
    }
}
