import StepwellEngine
import StepwellKernel
import StepwellLog
import StepwellModel

/// One simulated life of a store: the production loop, recovery and kernel over a simulated disk, with simulated workers and
/// clients, in one thread and in virtual time.
final class World {
    /// Something that is planned. What concerns one life of the engine carries its number, and means nothing in another.
    enum Happening {
        case act(Int)
        case start(focus: TaskID?)
        case turn(life: Int)
        case tryAgain(life: Int)
        case report(Report)
        case die(WorkerID, life: Int)
        case come(Helper, life: Int)
        case giveUp(life: Int)
        case endStop(life: Int)
        case crash(Crash, life: Int)
        case freeDisk
        case calm
    }

    let scenario: Scenario
    var conduct: Conduct
    /// For what no place in the scenario names: the fates of writes, how long a commit takes.
    var random: SplitMix64
    let disk = SimulatedDisk()
    var agenda = Agenda<Happening>()
    /// Milliseconds since the beginning, of a clock that nobody sets.
    var now: Int64 = 0
    /// What the clock on the wall says at the beginning; setting it moves this.
    var epoch: Int64 = 1_700_000_000_000
    var life = 0
    var engine: EngineLife?
    var isCalm = false
    /// The crash that the disk counts down to.
    var armed: Crash?

    // What is known from the log, by two readers: one that knows nothing of the kernel, and the kernel itself.
    var ledger = Ledger()
    var twin = State()
    var alarms = Alarms()
    /// The last commit of which anything has left the engine.
    var released = LogHead.empty

    var clients = Clients()
    var hands = Hands()
    var figures = Figures()
    var violation: Violation?
    /// All events, when somebody wants to see them.
    var trace: [EventRecord]?

    init(_ scenario: Scenario, isTraced: Bool = false) {
        self.scenario = scenario
        conduct = scenario.conduct
        random = SplitMix64(seed: scenario.seed, 2)
        clients.prepare(scenario)
        trace = isTraced ? [] : nil
    }

    var wall: Timestamp { Timestamp(milliseconds: epoch + now) }
    var reading: ClockReading { ClockReading(wall: wall, monotonic: Milliseconds(now)) }

    /// Lives through the whole scenario, or up to the first violation.
    func run() {
        agenda.plan(.start(focus: nil), at: 0)
        for (place, act) in scenario.acts.enumerated() { agenda.plan(.act(place), at: act.time) }
        if scenario.endsCalmly { agenda.plan(.calm, at: (scenario.acts.last?.time ?? 0) + 500) }
        var left = 20_000 + 500 * scenario.stepsInAll
        repeat {
            while violation == nil, let (time, happening) = agenda.next() {
                now = time
                happen(happening)
                left -= 1
                if left < 0 { fail("progress", "it never comes to rest") }
            }
        } while violation == nil && (endPauses() || endLimits())
        if violation == nil { conclude() }
        let tally = disk.takeTally()
        figures[.writesLost] += tally.lost
        figures[.writesTorn] += tally.torn
        figures[.scenarios] += 1
        figures[.tasks] += ledger.tasks.count
        figures[.events] += Int(ledger.last.rawValue)
    }

    private func happen(_ happening: Happening) {
        switch happening {
        case .act(let place): act(place)
        case .start(let focus): startEngine(focus: isCalm ? nil : focus)
        case .turn(let life): if let engine, engine.life == life, engine.plannedTurn == now { turn() }
        case .tryAgain(let life): if let pending = engine?.unwritten, engine?.life == life { commit(pending) }
        case .report(let report): deliver(report)
        case .die(let worker, let life): if engine?.life == life { die(worker) }
        case .come(let helper, let life): if engine?.life == life { come(helper) }
        case .giveUp(let life): if let engine, engine.life == life { giveUp(engine) }
        case .endStop(let life): if let engine, engine.life == life { endStop(engine) }
        case .crash(let crash, let life): if engine?.life == life { crashNow(crash) }
        case .freeDisk: disk.isFull = false
        case .calm: calmDown()
        }
    }

    func fail(_ invariant: String, _ message: String) {
        guard violation == nil else { return }
        violation = Violation(invariant: invariant, message: message, number: ledger.last)
    }

    /// Runs what may break an invariant.
    func guarded(_ invariant: String, _ body: () throws -> Void) {
        do { try body() } catch let found as Violation {
            if violation == nil { violation = found }
        } catch let error as any StepwellError {
            fail(invariant, error.message)
        } catch { fail(invariant, "\(error)") }
    }

    // MARK: The end

    /// The faults end: from now on all goes well, and whoever can run something comes.
    private func calmDown() {
        isCalm = true
        conduct = .calm
        disk.isFull = false
        disk.stayOn()
        armed = nil
        guard let engine else { return }
        if engine.focus != nil { stop(grace: 0, pause: 0, focus: nil) }
        for helper in Helper.able { agenda.plan(.come(helper, life: engine.life), at: now) }
    }

    /// When nothing is planned any more: every task has ended, or waits for somebody's help.
    private func conclude() {
        guard let engine else { return fail("progress", "the engine does not run any more") }
        look()
        turn()
        guard violation == nil else { return }
        for task in ledger.tasks where !task.isClosed {
            guard !task.steps.contains(where: { $0.failure != nil }) || task.steps.contains(where: \.isUnderWay) else {
                continue
            }
            return fail("progress", "task \(task.id) is stuck: nothing of it runs, and nothing has failed")
        }
        if let waiting = clients.unanswered { fail("answers", "command \(waiting) was never answered") }
        engine.loop.end(.stopped)
        self.engine = nil
        // Whoever opens the store next finds the same.
        recover { log in
            try checkIndexes(log)
            try decideAgain(log)
        }
    }
}

extension Ledger.Step {
    /// Something is to happen with it that needs nobody's help.
    fileprivate var isUnderWay: Bool { running != nil || enqueued != nil }
}

extension Scenario {
    /// Steps of all submissions.
    var stepsInAll: Int {
        acts.reduce(0) { sum, act in
            guard case .submit(_, let plot, _, _, _) = act.deed else { return sum }
            return sum + plots[plot].places.count
        }
    }
}

extension Helper {
    /// Together they can run everything.
    static let able: [Helper] = [
        Helper(kind: .process, handlers: SplitMix64.handlers, slots: 50, delay: 0),
        Helper(kind: .command, handlers: [], slots: 50, delay: 0),
    ]
}
