import StepwellModel

/// Graphs and policies by chance.
extension SplitMix64 {
    mutating func template(stepsMax: Int) -> Template {
        let count = number(1...stepsMax)
        let shape = number(0...4)
        return .of(
            (0..<count).map { place in
                StepTemplate(
                    name: "s\(place)", handler: handler(), dependencies: dependencies(of: place, count, shape),
                    retry: retryPolicy(), timeout: chance(25) ? Milliseconds(Int64(number(0...400))) : nil)
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
        default: return (0..<min(place, 5)).map { _ in number(0...place - 1) }
        }
    }

    private mutating func handler() -> HandlerTemplate {
        chance(20) ? .command(["true"]) : .callable(pick(["load", "clean", "sum"]))
    }

    private mutating func retryPolicy() -> RetryPolicy {
        RetryPolicy(
            retryable: chance(90), attemptsMax: number(0...4), backoff: pick(RetryPolicy.Backoff.allCases),
            initialDelay: Milliseconds(Int64(number(0...300))), maximumDelay: Milliseconds(Int64(number(0...2000))),
            jitter: chance(30), lossesMax: number(0...3))
    }
}
