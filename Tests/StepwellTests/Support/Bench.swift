import Foundation
import Stepwell
import Synchronization

/// An engine on a store in a temporary directory, with a clock that stands still until it is advanced.
final class Bench {
    let store: String
    let clock = SteppedClock()
    let happenings = Happenings()
    private let configure: (inout EngineOptions) -> Void
    private(set) var engine: Engine

    fileprivate init(directory: String, _ configure: @escaping (inout EngineOptions) -> Void) async throws {
        store = directory + "/store"
        self.configure = configure
        engine = try await Self.open(store, clock, happenings, configure)
    }

    private static func open(
        _ store: String, _ clock: SteppedClock, _ happenings: Happenings, _ configure: (inout EngineOptions) -> Void
    ) async throws -> Engine {
        var options = EngineOptions()
        options.clock = clock
        options.observers = happenings.observers
        configure(&options)
        return try await Engine.open(store, options: options)
    }

    /// Stops the engine and opens another one on its store.
    func reopen(grace: Duration = .seconds(60)) async throws {
        await engine.stop(grace: grace)
        engine = try await Self.open(store, clock, happenings, configure)
    }

    /// Lets time pass, and the engine notice it.
    func pass(_ time: Milliseconds) async throws {
        clock.advance(by: time)
        try await engine.core.ask { _ in }
    }

    /// Waits until so many retries have been scheduled in all.
    func retryScheduled(_ number: Int = 1) async throws -> EventRecord {
        try await happenings.event(number) { if case .retryScheduled = $0 { true } else { false } }
    }

    func run(_ template: Template, input: JSON = [:]) async throws -> TaskReport {
        try await engine.submit(template, input: input).wait()
    }

    func logLines(of task: TaskID) throws -> [LogLine] {
        var lines: [LogLine] = []
        try engine.store.logLines(of: task, after: nil) { line in
            lines.append(line)
            return true
        }
        return lines
    }
}

/// Gives the body a bench, and stops its engine after.
func withBench(
    _ configure: @escaping (inout EngineOptions) -> Void = { _ in }, _ body: (Bench) async throws -> Void
) async throws {
    let directory = NSTemporaryDirectory() + "/stepwell-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let bench = try await Bench(directory: directory, configure)
    do {
        try await body(bench)
    } catch {
        await bench.engine.stop(grace: .zero)
        throw error
    }
    await bench.engine.stop(grace: .zero)
}

/// A clock that stands still.
final class SteppedClock: MachineClock {
    private let passed = Mutex(Int64(0))

    func read() -> ClockReading {
        let passed = passed.withLock { $0 }
        return ClockReading(
            wall: Timestamp(milliseconds: 1_800_000_000_000 + passed), monotonic: Milliseconds(passed))
    }

    func advance(by step: Milliseconds) {
        passed.withLock { $0 += step.rawValue }
    }
}
