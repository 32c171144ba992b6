import StepwellModel

/// Makes a scenario smaller that breaks something, as long as it still breaks it: fewer acts, steps, workers and faults.
package struct Shrinker {
    private let breaks: (Scenario) -> Bool
    private var runsLeft: Int
    package private(set) var smallest: Scenario

    /// - Parameter runsMax: how many scenarios are tried at most.
    package init(_ scenario: Scenario, runsMax: Int = 400, breaks: @escaping (Scenario) -> Bool) {
        smallest = scenario
        self.breaks = breaks
        runsLeft = runsMax
    }

    /// Goes on until nothing more can be left out, or the runs are used up.
    package mutating func shrink() {
        var hasShrunk = true
        while hasShrunk, runsLeft > 0 {
            hasShrunk = leaveOut(\.acts)
            hasShrunk = leaveOutSteps() || hasShrunk
            hasShrunk = leaveOut(\.workers) || hasShrunk
            hasShrunk = leaveOutFaults() || hasShrunk
        }
    }

    /// Takes the scenario if it still breaks.
    private mutating func take(_ candidate: Scenario) -> Bool {
        guard runsLeft > 0 else { return false }
        runsLeft -= 1
        guard breaks(candidate) else { return false }
        smallest = candidate
        return true
    }

    /// Half of the list, a quarter, and so on down to single elements.
    private mutating func leaveOut<Element>(_ list: WritableKeyPath<Scenario, [Element]>) -> Bool {
        leaveOut(from: 0, count: { $0[keyPath: list].count }) { $0[keyPath: list].removeSubrange($1) }
    }

    private mutating func leaveOut(
        from least: Int, count: (Scenario) -> Int, _ remove: (inout Scenario, Range<Int>) -> Void
    ) -> Bool {
        var hasShrunk = false
        var width = max(1, count(smallest) / 2)
        while runsLeft > 0 {
            var start = 0
            while start < count(smallest), runsLeft > 0 {
                var candidate = smallest
                let end = min(start + width, count(smallest))
                guard count(smallest) - (end - start) >= least else { break }
                remove(&candidate, start..<end)
                if take(candidate) { hasShrunk = true } else { start += width }
            }
            guard width > 1 else { return hasShrunk }
            width /= 2
        }
        return hasShrunk
    }

    private mutating func leaveOutSteps() -> Bool {
        var hasShrunk = false
        for plot in smallest.plots.indices {
            // A template without steps is refused, and nothing would happen.
            let hasFewer = leaveOut(from: 1, count: { $0.plots[plot].places.count }) {
                $0.plots[plot].leaveOut($1)
            }
            hasShrunk = hasShrunk || hasFewer
        }
        return hasShrunk
    }

    private mutating func leaveOutFaults() -> Bool {
        var hasShrunk = false
        for fault in Conduct.faults where smallest.conduct[keyPath: fault] > 0 {
            var candidate = smallest
            candidate.conduct[keyPath: fault] = 0
            hasShrunk = take(candidate) || hasShrunk
        }
        return hasShrunk
    }
}

extension Conduct {
    /// All that can be other than well.
    fileprivate static var faults: [WritableKeyPath<Conduct, Int>] {
        [
            \.fails, \.failsForGood, \.asksForWait, \.hangs, \.kills, \.killsEngine, \.repeats, \.checkpoints, \.logs,
            \.outlives, \.commitDuration,
        ]
    }
}

extension Plot {
    /// Takes steps out; who depended on them does so no more.
    mutating func leaveOut(_ steps: Range<Int>) {
        template.steps.removeSubrange(steps)
        places.removeSubrange(steps)
        for index in template.steps.indices {
            template.steps[index].dependencies = template.steps[index].dependencies.compactMap { dependency in
                dependency < steps.lowerBound
                    ? dependency : dependency < steps.upperBound ? nil : dependency - steps.count
            }
        }
    }
}
