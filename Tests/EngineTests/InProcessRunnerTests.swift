import StepwellEngine
import StepwellLog
import StepwellModel
import Synchronization
import Testing

@Suite("Handlers of this process", .timeLimit(.minutes(1)))
struct InProcessRunnerTests {
    private let log = MemoryLog()

    private func run(_ bench: EngineBench, _ handler: @escaping InProcessRunner.Handler) {
        let runner = InProcessRunner(host: bench.engine, handlers: ["h": handler])
        bench.engine.join(
            WorkerJoin(
                worker: bench.engine.nextWorkerID(), name: "in-process", kind: .inProcess,
                handlers: [HandlerVersion(name: "h", version: "1")], slots: 5),
            runner: runner)
    }

    private func names() throws -> [String] {
        var names: [String] = []
        try log.events(after: .zero, payloads: .skipped) { record in
            switch record.event {
            case .attemptSucceeded: names.append("succeeded")
            case .attemptFailed: names.append("failed")
            case .attemptStopped: names.append("stopped")
            case .attemptLost: names.append("lost")
            case .resultRejected: names.append("rejected")
            default: break
            }
            return true
        }
        return names
    }

    @Test("What a handler returns is the attempt's end")
    func returns() async throws {
        let bench = try EngineBench(log)
        run(bench) { assignment in
            assignment.attempt.attempt == 1
                ? .failed(Failure(message: "once", retryAfter: .zero)) : .succeeded(.emptyObject, metadata: nil)
        }
        try await bench.submit(1)
        #expect(try await bench.settled(1) == .complete)
        #expect(try names() == ["failed", "succeeded"])
        await bench.engine.stop()
    }

    /// Ends only when its task is cancelled.
    private static func untilCancelled() async {
        while !Task.isCancelled { await Task.yield() }
    }

    @Test("A handler whose task is cancelled and then fails has stopped")
    func cancelled() async throws {
        let bench = try EngineBench(log)
        let begun = Atomic(false)
        run(bench) { _ in
            begun.store(true, ordering: .relaxed)
            await Self.untilCancelled()
            return .failed(Failure(message: "cancelled"))
        }
        try await bench.submit(1)
        await bench.until { begun.load(ordering: .relaxed) }
        try await bench.engine.send(.cancelTask(.numbered(1), reason: nil), by: Actor(.operator))
        await bench.until { (try? self.names()) == ["stopped"] }
        await bench.engine.stop()
    }

    @Test("One that succeeds all the same comes too late")
    func succeedsLate() async throws {
        let bench = try EngineBench(log)
        let begun = Atomic(false)
        run(bench) { _ in
            begun.store(true, ordering: .relaxed)
            await Self.untilCancelled()
            return .succeeded(.emptyObject, metadata: nil)
        }
        try await bench.submit(1)
        await bench.until { begun.load(ordering: .relaxed) }
        try await bench.engine.send(.cancelTask(.numbered(1), reason: nil), by: Actor(.operator))
        await bench.until { (try? self.names()) == ["rejected"] }
        await bench.engine.stop()
    }

    @Test("When the engine drains without grace, a handler that stops is lost, not failed")
    func drained() async throws {
        let bench = try EngineBench(log)
        let begun = Atomic(false)
        run(bench) { _ in
            begun.store(true, ordering: .relaxed)
            await Self.untilCancelled()
            return .failed(Failure(message: "cancelled"))
        }
        try await bench.submit(1)
        await bench.until { begun.load(ordering: .relaxed) }
        await bench.engine.drain(grace: .zero)
        await bench.engine.stop()
        #expect(try names() == ["lost"])
        #expect(try log.task(.numbered(1))?.stepsFailed == 0)
    }
}
