import StepwellEngine
import StepwellKernel
import StepwellLog
import StepwellModel

/// One life of the engine, from a start to a crash or a stop.
final class EngineLife {
    let life: Int
    let loop: Loop
    let log: SimulatedLog
    let outbox: Outbox
    let focus: TaskID?
    var mailbox: [Letter] = []
    /// The present commit ends then; letters gather meanwhile.
    var busyUntil: Int64 = 0
    /// The last turn.
    var turned = Alarms.Turn()
    var plannedTurn: Int64?
    /// The turn that did not fit on the disk.
    var unwritten: Loop.Pending?
    var isStopping = false
    var hasEnded = false
    /// After a stop: how long, and for which task.
    var next: (pause: Int64, focus: Int?) = (0, nil)
    var workers: [(id: WorkerID, helper: Helper)] = []
    var workerCount: UInt32 = 0
    var turnCount = 0
    /// How many wait for the end of a task, and are registered.
    var waiting: [TaskID: Int] = [:]

    init(life: Int, state: State, log: SimulatedLog, at now: Int64, focus: TaskID?, snapshots: SnapshotPolicy) {
        (self.life, self.log, self.focus) = (life, log, focus)
        let outbox = Outbox()
        self.outbox = outbox
        loop = Loop(
            state: state, log: log, at: Milliseconds(now), snapshots: snapshots, observe: { outbox.observe($0) })
    }
}

extension World {
    // MARK: Starting

    func startEngine(focus: TaskID?) {
        guard engine == nil else { return }
        life += 1
        figures[.starts] += 1
        var state = State()
        var opened: SimulatedLog?
        recover { log in
            state = try Recovery.fold(log).state
            opened = log
        }
        guard violation == nil, let opened else { return }
        alarms.begin(at: now, logTime: ledger.time)
        let engine = EngineLife(
            life: life, state: state, log: opened, at: now, focus: focus,
            snapshots: SnapshotPolicy(eventsMin: UInt32(scenario.snapshotsFrom)))
        self.engine = engine
        let start = EngineStart(version: "1", processID: life, host: "simulated", focus: focus)
        engine.mailbox = [.command(.startEngine(start), by: .engine, answer: nil)]
        look()
        turn()
        guard self.engine === engine else { return }
        for helper in scenario.workers + (isCalm ? Helper.able : []) {
            agenda.plan(.come(helper, life: life), at: now + Int64(helper.delay))
        }
    }

    /// Reads the log back from the disk, checks it, and brings both readers to its end.
    func recover(_ body: (SimulatedLog) throws -> Void) {
        guarded("recovery") {
            let log = try SimulatedLog(disk)
            guard released == .empty || log.commits.contains(released) else {
                throw Violation(
                    invariant: "durable", message: "the commit that ended with \(released.number) is gone",
                    number: released.number)
            }
            try log.events(after: ledger.last, payloads: .included) { record in
                try read(record, log)
                return true
            }
            twin = State()
            try log.events(after: .zero, payloads: .skipped) { record in
                try fold(record, log)
                return true
            }
            try clients.check(at: ledger.last)
            try body(log)
        }
    }

    /// What the kernel's fold makes of an event.
    private func fold(_ record: EventRecord, _ log: SimulatedLog) throws {
        if case .taskSubmitted(let submission) = record.event, twin.plan(submission.template) == nil,
            let template = try log.template(submission.template)
        {
            twin.adopt(Plan(template, digest: submission.template))
        }
        try twin.apply(record)
    }

    /// What the ledger makes of it.
    private func read(_ record: EventRecord, _ log: SimulatedLog) throws {
        trace?.append(record)
        if case .taskSubmitted(let submission) = record.event, ledger.template(submission.template) == nil,
            let template = try log.template(submission.template)
        {
            ledger.adopt(template, digest: submission.template)
        }
        try Invariants.check(record, after: ledger)
        try alarms.read(record, in: engine?.turned)
        try clients.check(record, after: ledger)
        ledger.read(record)
        count(record)
    }

    private func count(_ record: EventRecord) {
        switch record.event {
        case .attemptFailed: figures[.failures] += 1
        case .attemptTimedOut: figures[.timeouts] += 1
        case .workerLeft: figures[.deaths] += 1
        case .resultRejected: figures[.rejectedResults] += 1
        default: break
        }
    }

    // MARK: Turns

    func post(_ letter: Letter) {
        guard let engine else { return }
        engine.mailbox.append(letter)
        plan(at: max(now, engine.busyUntil))
    }

    func plan(at time: Int64) {
        guard let engine, engine.unwritten == nil, time < engine.plannedTurn ?? .max else { return }
        engine.plannedTurn = time
        agenda.plan(.turn(life: engine.life), at: time)
    }

    /// The next turn compares the live state with what its log tells.
    func look() {
        guard let engine else { return }
        let outbox = engine.outbox
        engine.mailbox.append(.query({ outbox.see($0.state.content) }, refused: { _ in }))
    }

    func turn() {
        guard let engine else { return }
        engine.plannedTurn = nil
        engine.turnCount += 1
        if engine.turnCount % 8 == 0 { look() }
        let letters = engine.mailbox
        engine.mailbox.removeAll(keepingCapacity: true)
        engine.turned = Alarms.Turn(time: now, possibleFrom: engine.busyUntil)
        commit(engine.loop.prepare(letters, at: reading))
    }

    /// As the engine's thread does it: waits while the disk is full, ends at any other trouble.
    func commit(_ pending: Loop.Pending) {
        guard let engine else { return }
        let head = engine.log.head
        do throws(LogError) {
            try engine.loop.commit(pending)
        } catch {
            if disk.hasStopped { return crashed() }
            guard case .diskFull = error else { return fail("log", error.message) }
            return waitForSpace(pending, error)
        }
        engine.unwritten = nil
        if (try? disk.pass()) == nil { return crashed() }
        engine.loop.release(pending)
        released = engine.log.head
        let hasWritten = released != head
        if hasWritten { figures[.commits] += 1 }
        engine.busyUntil = now + (hasWritten ? Int64(random.number(0...conduct.commitDuration)) : 0)
        takeOut(engine)
        guard violation == nil else { return }
        if engine.hasEnded { return end(engine) }
        if !engine.mailbox.isEmpty { plan(at: max(now, engine.busyUntil)) }
        if let delay = engine.loop.timeToNextDue(at: reading) { plan(at: max(engine.busyUntil, now + delay.rawValue)) }
    }

    private func waitForSpace(_ pending: Loop.Pending, _ error: LogError) {
        guard let engine else { return }
        let refusal = EngineError.log(error)
        // An engine that cannot even record its start ends, and somebody starts it again.
        if engine.turnCount == 1 { engine.next = (300, nil) }
        if engine.isStopping || engine.turnCount == 1 {
            engine.loop.abandon(pending, because: refusal)
            return end(engine)
        }
        engine.unwritten = pending
        agenda.plan(.tryAgain(life: engine.life), at: now + 500)
    }

    /// Looks at all that has left the engine, and lets it have its effect.
    private func takeOut(_ engine: EngineLife) {
        let outbox = engine.outbox
        if let fault = outbox.fault { return fail("effects", fault) }
        guarded("fold") {
            for record in outbox.records {
                try read(record, engine.log)
                try fold(record, engine.log)
            }
            try checkDeliveries(outbox)
            try checkSettled(engine)
            if let content = outbox.content {
                guard content == twin.content else { throw difference(content, twin.content) }
                try Invariants.check(content, at: ledger)
            }
            for (command, error) in outbox.answers { try hear(command, error) }
        }
        let (deliveries, stops) = (outbox.deliveries, outbox.stops)
        outbox.clear()
        guard violation == nil else { return }
        for assignment in deliveries { take(assignment, life: engine.life) }
        for stop in stops { told(stop, life: engine.life) }
    }

    private func difference(_ live: StateContent, _ folded: StateContent) -> Violation {
        var parts: [String] = []
        if live.tasks != folded.tasks { parts.append("tasks") }
        if live.queue != folded.queue { parts.append("queue") }
        if live.held != folded.held { parts.append("leases") }
        if live.timers != folded.timers { parts.append("timers") }
        if live.workers != folded.workers { parts.append("workers") }
        return Violation(
            invariant: "fold",
            message: "the state differs from the fold of its log: "
                + (parts.isEmpty ? "the engine's own values" : parts.joined(separator: ", ")),
            number: ledger.last)
    }

    // MARK: Stopping

    func stop(grace: Int64, pause: Int64, focus: Int?) {
        guard let engine, !engine.isStopping else { return }
        figures[.stops] += 1
        engine.isStopping = true
        engine.next = (pause, focus)
        if let pending = engine.unwritten {
            engine.loop.abandon(pending, because: .stopped)
            return end(engine)
        }
        post(.command(.drainEngine, by: .engine, answer: nil))
        engine.loop.drainRunners()
        agenda.plan(.giveUp(life: engine.life), at: now + grace)
        agenda.plan(.endStop(life: engine.life), at: now + grace + 100)
    }

    /// The grace time is over.
    func giveUp(_ engine: EngineLife) {
        guard engine.unwritten == nil else { return }
        engine.loop.stopAttempts()
        takeOut(engine)
    }

    func endStop(_ engine: EngineLife) {
        guard engine.unwritten == nil else { return end(engine) }
        engine.hasEnded = true
        post(.command(.stopEngine, by: .engine, answer: nil))
    }

    private func end(_ engine: EngineLife) {
        engine.loop.end(.stopped)
        guarded("waiters") { try checkForsaken(engine) }
        leaveBehind(engine)
        agenda.plan(.start(focus: engine.next.focus.map(clients.taskID)), at: now + engine.next.pause)
    }

    /// Whoever waits for an answer of this life hears none.
    private func leaveBehind(_ engine: EngineLife) {
        for (command, error) in engine.outbox.answers { guarded("answers") { try hear(command, error) } }
        self.engine = nil
        for act in clients.forget() { agenda.plan(.act(act), at: now + 20) }
    }

    // MARK: Crashing

    /// The machine will stop at one of the next writes.
    func arm(_ crash: Crash) {
        guard armed == nil, !isCalm else { return }
        armed = crash
        disk.stop(after: crash.operations)
        agenda.plan(.crash(crash, life: life), at: now + crash.patience)
    }

    /// It stops now, unless it has stopped meanwhile or another stop is under way.
    func crashNow(_ crash: Crash) {
        guard !isCalm, armed == nil || armed == crash else { return }
        armed = crash
        disk.stayOn()
        crashed()
    }

    private func crashed() {
        let crash = armed ?? Crash(operations: 0, patience: 0, powerFails: false, pause: 0)
        armed = nil
        figures[crash.powerFails ? .crashesOfThePower : .crashesOfTheProcess] += 1
        if engine?.turnCount == 1 { figures[.crashesInRecovery] += 1 }
        disk.restart(after: crash.powerFails ? .power : .process, &random)
        if let fault = engine?.outbox.fault { return fail("effects", fault) }
        if let engine { leaveBehind(engine) }
        agenda.plan(.start(focus: crash.focus.map(clients.taskID)), at: now + crash.pause)
        if let again = crash.again {
            life += 1
            arm(Crash(operations: again, patience: crash.pause + 50, powerFails: crash.powerFails, pause: crash.pause))
            life -= 1
        }
    }
}
