package import StepwellModel

/// What the lives of one template came to.
package struct TrialReport: Sendable {
    /// A step over all lives.
    package struct Step: Sendable {
        /// The most runs that one life needed, lost ones included, and the first seed that needed them.
        package var runsMax = 0
        package var runsMaxSeed: UInt64 = 0
        /// In how many lives it blocked the task.
        package var blockCount = 0
        /// The first seed in which it did.
        package var blockSeed: UInt64?
        /// What can make it do so: each reason, and the kinds of trouble that it had then.
        package var blocks: [Block] = []
    }

    /// Why a step failed for good.
    package struct Block: Sendable, Hashable {
        package var reason: FailureReason
        package var faults: [Trial.Fault]
    }

    package private(set) var steps: [Step]
    package private(set) var completeCount = 0
    package private(set) var blockedCount = 0
    /// Lives in which the task took longer than it should.
    package private(set) var lateCount = 0
    package private(set) var lateSeed: UInt64?
    /// How long the task took until it was complete or blocked, with the seed.
    private var durations: [(duration: Milliseconds, seed: UInt64)] = []
    private let limit: Milliseconds?

    /// - Parameter limit: how long the task may take.
    package init(stepCount: Int, limit: Milliseconds?) {
        steps = Array(repeating: Step(), count: stepCount)
        self.limit = limit
    }

    package mutating func add(_ task: Ledger.Task, seed: UInt64) {
        if task.isClosed { completeCount += 1 } else { blockedCount += 1 }
        let duration = (task.settled ?? task.changed) - task.submitted
        durations.append((duration, seed))
        if let limit, duration > limit {
            lateCount += 1
            if lateSeed == nil { lateSeed = seed }
        }
        for (place, step) in task.steps.enumerated() { add(step, at: place, seed) }
    }

    private mutating func add(_ step: Ledger.Step, at place: Int, _ seed: UInt64) {
        if step.startCount > steps[place].runsMax {
            (steps[place].runsMax, steps[place].runsMaxSeed) = (step.startCount, seed)
        }
        guard let reason = step.failure else { return }
        steps[place].blockCount += 1
        if steps[place].blockSeed == nil { steps[place].blockSeed = seed }
        let block = Block(reason: reason, faults: step.faults(for: reason))
        if !steps[place].blocks.contains(block) { steps[place].blocks.append(block) }
    }

    /// The duration that so many of a hundred lives stayed within, and the seed of the life that took it; 100 is the longest.
    package func duration(percentile: Int) -> (duration: Milliseconds, seed: UInt64) {
        let sorted = durations.sorted { ($0.duration, $0.seed) < ($1.duration, $1.seed) }
        guard !sorted.isEmpty else { return (.zero, 0) }
        return sorted[min(sorted.count - 1, sorted.count * percentile / 100)]
    }
}

extension Ledger.Step {
    /// What led to the step's failure for that reason.
    fileprivate func faults(for reason: FailureReason) -> [Trial.Fault] {
        switch reason {
        case .notRetryable: lastFailureIsFinal ? [.fatal] : timeoutsInAll > 0 ? [.timeouts] : [.failures]
        case .attemptsExhausted:
            (failuresInAll > 0 ? [.failures] : []) + (timeoutsInAll > 0 ? [.timeouts] : [])
        case .lossesExhausted: kind == .process ? [.deaths] : [.crashes]
        }
    }
}
