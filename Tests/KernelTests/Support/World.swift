import StepwellKernel
import StepwellModel
import StepwellSimulation

/// A life of the engine by chance: tasks come, workers answer, fail, die, answer late and twice, operators meddle, the engine
/// stops and starts. The same seed gives the same life.
struct World {
    private(set) var driver = Driver()
    private(set) var ledger = Ledger()
    /// Folds what the driver decides.
    private var twin = State()
    /// Decides everything again.
    private var decisions = DecisionCheck()
    private var ended: [TaskID: TaskSummary] = [:]
    private var random: SplitMix64
    private let stepsMax: Int
    private var templates: [Template] = []
    private var tasks: [TaskID] = []
    /// What the workers have in hand, the oldest first.
    private var held: [Delivery] = []
    /// What they have answered, or have lost: material for late and second answers.
    private var answered: [Delivery] = []
    private var workers: [WorkerID] = []
    private var workerCount: UInt32 = 0
    private(set) var findings: [String] = []

    init(seed: UInt64, stepsMax: Int) {
        random = SplitMix64(seed: seed)
        self.stepsMax = stepsMax
        for _ in 0..<random.number(1...4) { templates.append(random.template(steps: random.number(1...stepsMax))) }
        turn([Self.start])
        turn((0..<random.number(1...3)).map { _ in join() })
    }

    static let start = Request(.startEngine(EngineStart(version: "1", processID: 1, host: "here")), by: .engine)

    // MARK: A turn

    /// Lets some time pass and something happen.
    mutating func step() {
        driver.now = driver.now.advanced(by: Milliseconds(Int64(random.chance(10) ? 5000 : random.number(0...200))))
        if random.chance(2) { return restart() }
        turn((0..<random.number(0...6)).compactMap { _ in request() })
    }

    private mutating func turn(_ requests: [Request]) {
        let before = driver.state.content
        let answer = driver.turn(requests)
        if answer.records.isEmpty, driver.state.content != before { findings.append("a refusal has changed the state") }
        take(answer)
    }

    private mutating func take(_ answer: Driver.Answer) {
        for record in answer.records {
            if case .taskSubmitted(let submission) = record.event {
                ledger.adopt(driver.templates[submission.template]!, digest: submission.template)
                twin.adopt(Plan(driver.templates[submission.template]!, digest: submission.template))
            }
            do {
                try Invariants.check(record, after: ledger)
                ledger.read(record)
                try twin.apply(record)
            } catch { findings.append("\(error)") }
        }
        rehearse(answer.records)
        if driver.state.figures != driver.state.countedFigures {
            findings.append("the figures are not what a walk counts")
        }
        let content = driver.state.content
        if twin.content != content { findings.append("the fold differs after \(content.last)") }
        do { try Invariants.check(content, at: ledger) } catch { findings.append("\(error)") }
        for case .deliver(let delivery) in answer.effects { held.append(delivery) }
    }

    private mutating func rehearse(_ records: [EventRecord]) {
        do {
            for record in records {
                if case .taskSubmitted(let submission) = record.event {
                    decisions.adopt(Plan(driver.templates[submission.template]!, digest: submission.template))
                }
                try decisions.take(record, closed: record.task.flatMap { ended[$0] })
            }
            for summary in try decisions.endCommit() { ended[summary.id] = summary.state.isClosed ? summary : nil }
        } catch {
            findings.append("asked again: event \(error.number): \(error)")
        }
    }

    /// The engine dies, and comes back by one of the three ways.
    private mutating func restart() {
        if random.chance(30) { turn([.init(.stopEngine, by: .engine)]) }
        do {
            driver.state =
                switch random.number(0...2) {
                case 0: try driver.history.folded()
                case 1: try driver.history.foldedByTask()
                default: try driver.history.restored()
                }
        } catch {
            findings.append("\(error)")
        }
        answered += held
        (held, workers, workerCount) = ([], [], 0)
        take(driver.turn([Self.start]))
        turn((0..<random.number(0...3)).map { _ in join() })
    }

    // MARK: What happens

    private mutating func request() -> Request? {
        switch random.number(0...99) {
        case 0..<12: submit()
        case 12..<70: held.isEmpty ? nil : answer(random.number(0...held.count - 1))
        case 70..<76: answered.isEmpty ? nil : late(random.pick(answered))
        case 76..<79: held.isEmpty ? nil : checkpoint(random.pick(held))
        case 79..<83: workers.count > 4 ? nil : join()
        case 83..<86: workers.isEmpty ? nil : lose(random.number(0...workers.count - 1))
        case 86..<88: tasks.isEmpty ? nil : .init(.cancelTask(random.pick(tasks), reason: nil), by: .operator)
        case 88: tasks.isEmpty ? nil : .init(.pauseTask(random.pick(tasks), reason: nil), by: .operator)
        case 89, 90: tasks.isEmpty ? nil : .init(.resumeTask(random.pick(tasks), reason: nil), by: .operator)
        case 91..<95: tasks.isEmpty ? nil : retry(random.pick(tasks))
        case 95..<98: tasks.isEmpty ? nil : resolve(random.pick(tasks))
        case 98: held.isEmpty ? nil : forge(random.pick(held))
        default: random.chance(70) ? limit() : .init(.cancelTask(TaskID(high: 0, low: 0), reason: nil), by: .operator)
        }
    }

    private mutating func submit() -> Request? {
        guard tasks.count < 40 else { return nil }
        let place = random.number(0...templates.count - 1)
        // Ids that do not follow the order of submission, as those of one millisecond do not.
        let id = TaskID(high: 0x7000, low: random.next())
        let request = driver.submit(
            id, templates[place], digest: TemplateDigest([UInt8(place)]),
            key: random.chance(40) ? random.pick(["one", "two"]) : nil, priority: random.number(-102...102) / 20 * 20,
            replacing: random.chance(50))
        tasks.append(id)
        return request
    }

    /// What the worker that has it in hand says of an attempt.
    private mutating func answer(_ place: Int) -> Request {
        let delivery = held.remove(at: place)
        answered.append(delivery)
        return .init(.finishAttempt(delivery.task, delivery.attempt, outcome()), by: .worker)
    }

    private mutating func late(_ delivery: Delivery) -> Request {
        .init(.finishAttempt(delivery.task, delivery.attempt, outcome()), by: .worker)
    }

    /// Another attempt's lease, step or worker.
    private mutating func forge(_ delivery: Delivery) -> Request {
        var attempt = delivery.attempt
        switch random.number(0...3) {
        case 0: attempt.lease = random.pick(held).attempt.lease
        case 1: attempt.step = random.pick([-1, 0, 1, 100_000])
        case 2: attempt.worker = WorkerID(99)
        default: attempt.lease = SequenceNumber(random.next() >> 1)
        }
        return .init(.finishAttempt(delivery.task, attempt, outcome()), by: .worker)
    }

    private mutating func outcome() -> AttemptOutcome {
        switch random.number(0...99) {
        case 0..<70: .succeeded(.emptyObject, metadata: nil)
        case 70..<95:
            .failed(
                Failure(
                    message: "no", retryable: random.chance(85),
                    retryAfter: random.chance(20) ? Milliseconds(Int64(random.number(-5...3000))) : nil))
        default: .stopped
        }
    }

    private func checkpoint(_ delivery: Delivery) -> Request {
        .init(.checkpointAttempt(delivery.task, delivery.attempt, data: .emptyObject), by: .worker)
    }

    private mutating func join() -> Request {
        workerCount += 1
        let worker = WorkerID(workerCount)
        workers.append(worker)
        let handlers = ["load", "clean", "sum"].filter { _ in random.chance(70) }
        return .init(
            .joinWorker(
                WorkerJoin(
                    worker: worker, name: "worker#\(workerCount)",
                    kind: random.pick([.inProcess, .process, .command]),
                    handlers: handlers.map { HandlerVersion(name: $0, version: "1") }, slots: random.number(1...8))),
            by: .engine)
    }

    private mutating func lose(_ place: Int) -> Request {
        let worker = workers.remove(at: place)
        answered += held.filter { $0.attempt.worker == worker }
        held.removeAll { $0.attempt.worker == worker }
        return .init(.loseWorker(worker, reason: "killed"), by: .engine)
    }

    private mutating func limit() -> Request {
        let target =
            random.chance(30)
            ? LimitTarget(.namespace, "tests") : LimitTarget(.handler, random.pick(["load", "clean", "sum"]))
        if random.chance(20) { return .init(.removeLimit(target, reason: nil), by: .operator) }
        var setting = LimitSetting(target)
        if random.chance(50) { setting.concurrencyMax = random.number(0...4) }
        if random.chance(60) {
            setting.rate = StartRate(
                count: random.number(0...9), period: Milliseconds(Int64(random.pick([7, 100, 1000, 10_000]))),
                burst: random.number(1...3))
        }
        return .init(.setLimit(setting, reason: nil), by: .operator)
    }

    private mutating func retry(_ task: TaskID) -> Request {
        let steps = random.chance(50) ? [] : (0..<random.number(1...3)).map { _ in random.number(-1...stepsMax) }
        return .init(.retryTask(task, steps: steps, reason: nil), by: .operator)
    }

    private mutating func resolve(_ task: TaskID) -> Request {
        let step = random.number(-1...stepsMax)
        return .init(
            .resolveStep(task, step, result: random.chance(50) ? .emptyObject : nil, reason: nil), by: .operator)
    }

    // MARK: The end

    /// Faults end: workers for everything come, all that is handed out succeeds, all that is waited for comes due.
    mutating func finish() {
        turn([.init(.stopEngine, by: .engine), Self.start])
        (held, workers, workerCount) = ([], [], 0)
        for kind in [WorkerJoin.Kind.inProcess, .command] {
            workerCount += 1
            let join = WorkerJoin(
                worker: WorkerID(workerCount), name: "able", kind: kind,
                handlers: ["load", "clean", "sum"].map { HandlerVersion(name: $0, version: "1") }, slots: 50)
            turn([.init(.joinWorker(join), by: .engine)])
        }
        turn(
            driver.state.openTasks.filter { $0.state == .paused }
                .map { Request(.resumeTask($0.id, reason: nil), by: .operator) })
        turn(
            driver.state.limits(at: driver.now).filter { $0.setting.concurrencyMax == 0 }
                .map { Request(.removeLimit($0.setting.target, reason: nil), by: .operator) })
        for _ in 0..<10_000 where driver.state.openTasks.contains(where: { $0.active + $0.waiting > 0 }) {
            if held.isEmpty, let due = driver.state.nextDue() { driver.now = max(driver.now, due) }
            let answers = held.map {
                Request(.finishAttempt($0.task, $0.attempt, .succeeded(.emptyObject, metadata: nil)), by: .worker)
            }
            held = []
            turn(answers)
        }
        let open = driver.state.openTasks.filter { $0.state != .blockedByFailures }
        if !open.isEmpty { findings.append("tasks that never end: \(open.map(\.id))") }
    }
}
