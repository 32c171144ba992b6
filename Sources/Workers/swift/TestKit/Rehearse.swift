import Stepwell
import StepwellEngine
import StepwellHistory
import StepwellKernel
import StepwellLog
public import StepwellModel
public import StepwellWorker
import Synchronization

/// Runs a whole template in this process, without a store and without a wait.
///
/// ```swift
/// let run = try await rehearse(template, handlers: FetchPrices(), AddUp(), input: ["currency": "EUR"])
/// #expect(try run.result("add") == ["sum": 7])
/// ```
///
/// It is the engine that decides, on a log in memory: attempts, waits, schemas and what depends on what are as they will be. Only
/// time is not: it stands still while a handler runs, and where all that is left is a wait, that wait is over. So a step's
/// timeout never strikes. One step runs at a time.
///
/// - Parameters:
///   - input: the task's input, an object.
///   - results: steps that shall not run, with the results that stand for them. Commands are not run, and must be there.
/// - Throws: ``RehearsalError``; what submitting the task to an engine would throw.
public func rehearse<each Handler: StepHandler>(
    _ template: Template, handlers: repeat each Handler, input: JSON = [:], results: [String: JSON] = [:]
) async throws -> TemplateRun {
    var functions: [HandlerFunction] = []
    for handler in repeat each handlers { functions.append(HandlerFunction(handler)) }
    return try await rehearse(template, functions: functions, input: input, results: results)
}

/// The same with handlers made of closures.
public func rehearse(
    _ template: Template, functions: [HandlerFunction], input: JSON = [:], results: [String: JSON] = [:]
) async throws -> TemplateRun {
    try check(template, functions, results)
    try Engine.check(template, input: JSONText(input))
    let stage = try Stage()
    do {
        let run = try await stage.run(template, functions, JSONText(input), results.mapValues { JSONText($0) })
        await stage.end()
        return run
    } catch {
        await stage.end()
        throw error
    }
}

private func check(
    _ template: Template, _ functions: [HandlerFunction], _ results: [String: JSON]
) throws(RehearsalError) {
    let names = template.steps.map(\.name)
    for step in results.keys.sorted() where !names.contains(step) { throw .unknownStep(step, known: names) }
    for step in template.steps where results[step.name] == nil {
        var handler: String?
        if case .callable(let name, _) = step.handler.target { handler = name }
        guard functions.contains(where: { $0.name == handler }) else {
            throw .noHandler(step: step.name, handler: handler, offered: functions.map(\.name))
        }
    }
}

/// An engine whose log is in memory and whose clock goes on only when nothing else does.
private final class Stage: Sendable {
    private let log = MemoryLog()
    private let clock = StageClock()
    private let core: EngineCore
    private let news: AsyncStream<Void>
    private let told: Told

    init() throws {
        let (news, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let told = Told()
        var observers = Observers()
        observers.events = { _ in bell.yield() }
        observers.logLine = { told.note($0) }
        observers.heartbeat = { assignment, progress in
            guard let progress else { return }
            told.state.withLock { $0.progress.append((assignment.step.name, progress.json)) }
        }
        (self.news, self.told) = (news, told)
        core = try EngineCore(log: log, clock: clock, observers: observers)
        _ = try core.start(EngineStart(version: stepwellVersion, processID: 0, host: "rehearsal"))
    }

    func run(
        _ template: Template, _ functions: [HandlerFunction], _ input: JSONText, _ results: [String: JSONText]
    ) async throws -> TemplateRun {
        join(template, functions, results)
        let id = TaskID(time: clock.now(), random: (1, 1))
        let options = SubmitOptions()
        let submission = Submission(template, input, options, id)
        try await core.send(.submitTask(id, submission, template, known: nil, replacing: false), by: options.actor)
        let settled = Settled()
        core.whenSettled(id) { _ in settled.isTrue.store(true, ordering: .releasing) }
        var news = self.news.makeAsyncIterator()
        while true {
            // The answer comes after the turn, so that what was told before it counts.
            let (running, due) = try await core.ask { state in
                var copy = state
                return (state.runningAttemptCount, copy.nextDue())
            }
            if settled.isTrue.load(ordering: .acquiring) { break }
            if running == 0, let due {
                clock.goOn(to: due)
            } else if await news.next() == nil {
                throw CancellationError()
            }
        }
        guard let report = try TaskReport.read(id, from: log) else {
            throw EngineError.rejected(.unknownTask(id))
        }
        let (lines, progress) = told.state.withLock { ($0.lines, $0.progress) }
        return TemplateRun(
            report: report, waited: clock.waited,
            log: lines.map { LoggedLine(step: template.steps[$0.step].name, level: $0.level, text: $0.text) },
            progress: progress)
    }

    func end() async { await core.stop() }

    /// One worker for the handlers, and one for what else the template has: its results are given.
    private func join(_ template: Template, _ functions: [HandlerFunction], _ results: [String: JSONText]) {
        let handlers = Dictionary(functions.map { ($0.name, $0.runner(core)) }, uniquingKeysWith: { _, last in last })
        let runner = InProcessRunner(host: core, handlers: handlers)
        var offered = functions.map { HandlerVersion(name: $0.name, version: $0.version) }
        for step in template.steps where results[step.name] != nil {
            guard case .callable(let name, _) = step.handler.target, !offered.contains(where: { $0.name == name })
            else {
                continue
            }
            offered.append(HandlerVersion(name: name, version: "1.0.0"))
        }
        for (kind, handlers) in [(WorkerJoin.Kind.inProcess, offered), (.command, [])] {
            let join = WorkerJoin(
                worker: core.nextWorkerID(), name: "rehearsal", kind: kind, handlers: handlers, slots: 1)
            core.join(join, runner: Understudy(host: core, runner: runner, results: results))
        }
    }

    /// What is told on the engine's threads.
    private final class Told: Sendable {
        struct State {
            var lines: [LogLine] = []
            var progress: [(step: String, progress: JSON)] = []
        }

        let state = Mutex(State())

        func note(_ line: LogLine) { state.withLock { $0.lines.append(line) } }
    }

    private final class Settled: Sendable {
        let isTrue = Atomic(false)
    }
}

/// Stands in for steps whose results are given, and lets the others run.
private final class Understudy: AttemptRunner {
    private let host: any AttemptHost
    private let runner: InProcessRunner
    private let results: [String: JSONText]

    init(host: any AttemptHost, runner: InProcessRunner, results: [String: JSONText]) {
        (self.host, self.runner, self.results) = (host, runner, results)
    }

    func run(_ assignment: Assignment) {
        guard let result = results[assignment.step.name] else { return runner.run(assignment) }
        host.finish(assignment, .succeeded(result, metadata: nil))
    }

    func stop(_ lease: Lease, because reason: StopReason) { runner.stop(lease, because: reason) }
    func rejected(_ lease: Lease, because reason: RejectedResult.Reason) {}
    func drain() {}
}

/// A clock that stands still until it is told to go on.
private final class StageClock: MachineClock {
    /// 2026-01-01, always: the same template and the same handlers give the same log.
    private static let start = Timestamp(milliseconds: 1_767_225_600_000)
    private let passed = Mutex(Milliseconds.zero)

    func read() -> ClockReading {
        let passed = passed.withLock { $0 }
        return ClockReading(wall: Self.start.advanced(by: passed), monotonic: passed)
    }

    func goOn(to time: Timestamp) {
        passed.withLock { passed in passed = max(passed, time - Self.start) }
    }

    var waited: Duration { .milliseconds(passed.withLock { $0.rawValue }) }
}
