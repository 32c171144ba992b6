import StepwellModel

extension Scenario {
    /// The scenario of a seed. Most are small, so that many fit into a second; a few are large.
    ///
    /// - Parameter stepsMax: no template has more steps.
    package init(seed: UInt64, stepsMax: Int = 1000) {
        var random = SplitMix64(seed: seed, 1)
        let size = random.stepCount(max: stepsMax)
        self.seed = seed
        plots = (0..<random.number(1...2)).map { place in
            Plot(random.template(named: "story\(place)", steps: place == 0 ? size : random.number(1...3)))
        }
        workers = random.helpers()
        conduct = random.conduct()
        acts = random.acts(plots: plots)
        addPauses()
        addLimits()
        spread()
        snapshotsFrom = random.chance(70) ? random.number(4...40) : 256
    }

    /// Some templates are in a namespace of their own, and some workers serve only one.
    private mutating func spread() {
        var random = SplitMix64(seed: seed, 9)
        guard random.chance(50) else { return }
        let namespaces = ["tests", "others"]
        plots[plots.count - 1].template.namespace = namespaces[1]
        for worker in workers.indices where random.chance(30) {
            workers[worker].kind = workers[worker].kind == .process ? .remote : workers[worker].kind
            workers[worker].namespaces = [random.pick(namespaces)]
        }
    }

    /// Limits are set, set anew, and removed. Drawn from numbers of their own too.
    private mutating func addLimits() {
        var random = SplitMix64(seed: seed, 10)
        guard random.chance(25) else { return }
        var settings: [LimitSetting] = []
        for _ in 0...random.skewed(0...4) {
            // Some begin with the store, so that all that starts is theirs.
            let time = random.chance(40) ? 0 : random.pick(acts).time + Int64(random.skewed(0...600))
            let isKnown = !settings.isEmpty
            if isKnown, random.chance(15) {
                acts.append(Act(time: time, deed: .unlimit(random.pick(settings).target)))
            } else {
                let setting = isKnown && random.chance(20) ? random.pick(settings) : random.limit()
                settings.append(setting)
                acts.append(Act(time: time, deed: .limit(setting)))
            }
        }
        acts = acts.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
    }

    /// Tasks are paused near something else that happens. Drawn from numbers of their own, so that the rest stays as it is.
    private mutating func addPauses() {
        var random = SplitMix64(seed: seed, 8)
        guard random.chance(20) else { return }
        let others = acts.filter { $0.deed.submittedTask != nil }
        for _ in 0...random.skewed(0...3) {
            guard let task = random.pick(others).deed.submittedTask else { continue }
            let time = random.pick(acts).time + Int64(random.skewed(0...600))
            acts.append(Act(time: time, deed: .pause(task: task)))
            if random.chance(60) {
                acts.append(Act(time: time + Int64(random.skewed(0...5000)), deed: .resume(task: task)))
            }
        }
        acts = acts.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
    }
}

extension SplitMix64 {
    fileprivate mutating func stepCount(max: Int) -> Int {
        let count =
            switch number(0...1999) {
            case 0: number(100...1000)
            case 1..<40: number(12...60)
            default: 1 + skewed(0...9)
            }
        return min(count, max)
    }

    fileprivate mutating func limit() -> LimitSetting {
        let target =
            chance(50)
            ? LimitTarget(.namespace, pick(["tests", "others"])) : LimitTarget(.handler, pick(Self.handlers))
        var setting = LimitSetting(target)
        let hasRate = chance(60)
        if !hasRate || chance(30) { setting.concurrencyMax = chance(8) ? 0 : number(1...3) }
        if hasRate {
            setting.rate = StartRate(
                count: number(1...7), period: Milliseconds(Int64(pick([7, 50, 100, 1000]))), burst: number(1...4))
        }
        return setting
    }

    private mutating func helper(_ kind: WorkerJoin.Kind) -> Helper {
        Helper(
            kind: kind, handlers: kind == .command ? [] : Self.handlers.filter { _ in chance(80) },
            slots: number(1...4), delay: number(0...40))
    }

    fileprivate mutating func helpers() -> [Helper] {
        var some = [helper(.command), helper(.process)]
        if chance(60) { some.append(helper(.inProcess)) }
        if chance(40) { some.append(helper(.process)) }
        return some
    }

    /// Some scenarios go smoothly, some are bad in one way, some in all.
    fileprivate mutating func conduct() -> Conduct {
        var conduct = Conduct()
        let isBad = chance(60)
        conduct.fails = chance(70) ? number(5...40) : 0
        conduct.failsForGood = isBad ? number(0...20) : 0
        conduct.asksForWait = isBad ? number(0...30) : 0
        conduct.hangs = chance(50) ? number(2...15) : 0
        conduct.kills = isBad ? number(0...10) : 0
        conduct.killsEngine = isBad && chance(30) ? number(1...3) : 0
        conduct.repeats = isBad ? number(0...20) : 0
        conduct.checkpoints = chance(40) ? number(5...40) : 0
        conduct.logs = chance(30) ? 30 : 0
        conduct.outlives = isBad ? 30 : 0
        conduct.duration = pick([5, 100, 300, 1500])
        conduct.commitDuration = pick([0, 1, 3, 20])
        return conduct
    }

    // MARK: Acts

    fileprivate mutating func acts(plots: [Plot]) -> [Act] {
        let span = 100 + skewed(0...5000)
        var acts: [Act] = []
        func add(_ random: inout SplitMix64, _ deed: Deed) {
            acts.append(Act(time: Int64(random.number(0...span)), deed: deed))
        }
        let tasks = 1 + skewed(0...5)
        for task in 0..<tasks {
            let deed = submission(task, plots)
            // The first comes early: an idle engine finds nothing.
            if task == 0 { acts.append(Act(time: Int64(number(0...50)), deed: deed)) } else { add(&self, deed) }
        }
        for _ in 0..<skewed(0...8) { add(&self, meddling(tasks, plots)) }
        if chance(60) { for _ in 0...skewed(0...4) { add(&self, .crash(crash(tasks))) } }
        if chance(15) { add(&self, .fillDisk(Int64(number(1...3000)))) }
        if chance(15) {
            add(
                &self,
                .stop(
                    grace: Int64(number(0...500)), pause: Int64(number(0...200)),
                    focus: chance(30) ? number(0...tasks - 1) : nil))
        }
        if chance(20) {
            for _ in 0...skewed(0...3) { add(&self, .setClock(Int64(pick([-3_600_000, -5000, -20, 700, 60_000])))) }
        }
        if chance(15) { add(&self, .help(helper(pick([.process, .command])))) }
        if chance(10) { add(&self, .dismiss(number(0...5))) }
        if chance(20) {
            for fork in 0...skewed(0...2) {
                add(&self, .fork(task: tasks + 1 + fork, origin: number(0...tasks - 1), step: number(0...9)))
            }
        }
        return acts.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
    }

    private mutating func submission(_ task: Int, _ plots: [Plot]) -> Deed {
        .submit(
            task: task, plot: number(0...plots.count - 1), key: chance(40) ? pick(["one", "two"]) : nil,
            priority: chance(30) ? pick([-100, -5, 5, 100, 101]) : 0, replacing: chance(40))
    }

    private mutating func meddling(_ tasks: Int, _ plots: [Plot]) -> Deed {
        // Also one that does not exist.
        let task = number(0...tasks)
        let step = number(0...max(0, plots.map(\.places.count).max()! - 1))
        return switch number(0...9) {
        case 0: .cancel(task: task)
        case 1...5: .retry(task: task, steps: chance(70) ? [] : [step, step, 0])
        case 6, 7: .resolve(task: task, step: step, withResult: chance(50))
        default: .forge(number(0...4))
        }
    }

    private mutating func crash(_ tasks: Int) -> Crash {
        Crash(
            operations: number(0...20), patience: Int64(number(50...3000)), powerFails: chance(75),
            pause: Int64(pick([0, 5, 300, 4000])), again: chance(25) ? number(0...6) : nil,
            focus: chance(8) ? number(0...tasks - 1) : nil)
    }
}
