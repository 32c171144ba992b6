import StepwellEngine
import StepwellKernel
import StepwellLog
import StepwellModel
import Synchronization

/// A running engine over a log, with a scripted runner and a clock that stands until it is set.
final class EngineBench: Sendable {
    let engine: EngineCore
    let runner = ScriptedRunner()
    let clock = SteppedClock()
    private let news = StorageNews()

    init(_ log: any EventLog, limits: Limits = Limits(), isHeld: Bool = false) throws {
        var observers = Observers()
        observers.storage = { [news] error in news.lines.withLock { $0.append(error == nil ? "free" : "full") } }
        engine = try EngineCore(log: log, limits: limits, clock: clock, observers: observers, isHeld: isHeld)
        _ = try engine.start(.tests)
    }

    private final class StorageNews: Sendable {
        let lines = Mutex<[String]>([])
    }

    /// `full` and `free`, in the order in which the engine told so.
    var storageNews: [String] { news.lines.withLock { $0 } }

    @discardableResult
    func join(slots: Int = 10) -> WorkerID {
        let worker = engine.nextWorkerID()
        engine.join(
            WorkerJoin(
                worker: worker, name: "scripted", kind: .process,
                handlers: [HandlerVersion(name: "h", version: "1")], slots: slots),
            runner: runner)
        return worker
    }

    func submit(_ number: UInt64, _ template: Template = .chain(1)) async throws(EngineError) {
        let submission = Submission(
            template: template.digest, namespace: template.namespace, name: template.name, version: template.version,
            correlationID: "c")
        try await engine.send(
            .submitTask(.numbered(number), submission, template, known: nil, replacing: false), by: Actor(.client))
    }

    func settled(_ number: UInt64) async throws(EngineError) -> TaskState {
        let result: Result<TaskState, EngineError> = await withCheckedContinuation { continuation in
            engine.whenSettled(.numbered(number)) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// The attempt at that place of all that were given to the runner, once it has come.
    func assignment(_ place: Int) async -> Assignment {
        await until { self.runner.assignments.count > place }
        return runner.assignments[place]
    }

    /// Gives way to others until it is so. A test that waits in vain is ended by its time limit.
    func until(_ isSo: @Sendable () -> Bool) async {
        while !isSo() { await Task.yield() }
    }
}

final class SteppedClock: MachineClock {
    private let reading = Mutex(ClockReading(wall: Timestamp(milliseconds: 1_700_000_000_000), monotonic: .zero))

    func read() -> ClockReading { reading.withLock { $0 } }
    func pass(_ delay: Milliseconds) { reading.withLock { $0.pass(delay) } }
    func set(by change: Milliseconds) { reading.withLock { $0.wall = $0.wall.advanced(by: change) } }
}

extension ClockReading {
    /// So much time goes by.
    mutating func pass(_ delay: Milliseconds) {
        wall = wall.advanced(by: delay)
        monotonic = Milliseconds(monotonic.rawValue + delay.rawValue)
    }
}
