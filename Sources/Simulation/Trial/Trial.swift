package import StepwellModel

/// One template that is lived through many times under chosen faults.
package struct Trial: Sendable {
    /// What may go wrong.
    package enum Fault: String, Sendable, CaseIterable {
        /// Attempts fail, and another may help.
        case failures
        /// Attempts fail for good.
        case fatal
        /// Attempts hang until their time is over.
        case timeouts
        /// Attempts take their worker with them.
        case deaths
        /// The engine dies, or the power fails, while an attempt runs.
        case crashes
        /// Results come twice, or too late.
        case repeats
        /// The disk is full for a while.
        case disk
        /// The clock is set.
        case clock
    }

    package let template: Template
    private let input: JSONText
    private let faults: [Fault]
    /// The longest that an attempt takes by itself, in milliseconds.
    private let duration: Int
    private let helpers: [Helper]

    package init(_ template: Template, input: JSONText, faults: [Fault], duration: Milliseconds) {
        self.template = template
        self.input = input
        self.faults = faults
        self.duration = Int(clamping: duration.rawValue)
        var handlers: [String] = []
        for step in template.steps {
            if case .callable(let name, _) = step.handler.target, !handlers.contains(name) { handlers.append(name) }
        }
        let slots = 8
        helpers = [
            Helper(kind: .command, handlers: [], slots: slots, delay: 0),
            Helper(kind: .process, handlers: handlers, slots: slots, delay: 0),
        ]
    }

    /// The life of a seed: one task, and of each chosen fault more or less.
    package func scenario(seed: UInt64) -> Scenario {
        var random = SplitMix64(seed: seed, 7)
        var conduct = Conduct()
        conduct.duration = duration
        func some(_ fault: Fault, _ percent: ClosedRange<Int>) -> Int {
            let drawn = random.number(percent)
            return faults.contains(fault) ? drawn : 0
        }
        conduct.fails = some(.failures, 3...60)
        let fatal = some(.fatal, 2...30)
        conduct.failsForGood = fatal
        // Without other failures, those that are final are all.
        if conduct.fails == 0, fatal > 0 { (conduct.fails, conduct.failsForGood) = (fatal, 100) }
        conduct.hangs = some(.timeouts, 2...40)
        conduct.kills = some(.deaths, 2...25)
        conduct.killsEngine = some(.crashes, 1...15)
        conduct.repeats = some(.repeats, 5...40)
        conduct.outlives = conduct.repeats
        return Scenario(
            seed: seed, plots: [Plot(template)], workers: helpers, conduct: conduct, acts: acts(&random),
            endsCalmly: false, input: input)
    }

    private func acts(_ random: inout SplitMix64) -> [Act] {
        let submission = Deed.submit(task: 0, plot: 0, key: nil, priority: template.priority, replacing: false)
        var acts = [Act(time: 0, deed: submission)]
        let span = 2 * duration * max(1, template.steps.count)
        func time() -> Int64 { Int64(random.number(1...span)) }
        if faults.contains(.disk) {
            acts.append(Act(time: time(), deed: .fillDisk(Int64(random.number(1...600_000)))))
        }
        if faults.contains(.clock) {
            acts.append(
                Act(time: time(), deed: .setClock(Int64(random.pick([-3_600_000, -60_000, 60_000, 3_600_000])))))
        }
        return acts.sorted { $0.time < $1.time }
    }
}
