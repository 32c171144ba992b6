import StepwellEngine
import StepwellKernel
import StepwellLog
import StepwellModel
import Testing

@Suite("An engine on hold", .timeLimit(.minutes(1)))
struct HoldTests {
    private let log = MemoryLog()

    private func types() throws -> [EventType] {
        var types: [EventType] = []
        try log.events(after: .zero, payloads: .skipped) { record in
            types.append(record.event.type)
            return true
        }
        return types
    }

    /// All that was sent before has been done.
    private func quiet(_ bench: EngineBench) async throws { _ = try await bench.engine.ask { $0.openTaskCount } }

    @Test("It takes tasks and starts nothing; released, it goes on")
    func release() async throws {
        let bench = try EngineBench(log, isHeld: true)
        bench.join()
        try await bench.submit(1)
        try await quiet(bench)
        #expect(bench.runner.assignments.isEmpty)
        #expect(try !types().contains(.workerJoined))
        #expect(bench.engine.heldWorkerCount == 1)

        #expect(bench.engine.release())
        #expect(!bench.engine.release(), "it was released before")
        #expect(bench.engine.heldWorkerCount == nil)
        let assignment = await bench.assignment(0)
        bench.engine.finish(assignment, .succeeded(.emptyObject, metadata: nil))
        #expect(try await bench.settled(1) == .complete)
        await bench.engine.stop()
    }

    @Test("Whoever has gone before the release is not let in")
    func leave() async throws {
        let bench = try EngineBench(log, isHeld: true)
        let worker = bench.join()
        bench.join()
        bench.engine.leave(worker, reason: "gone")
        #expect(bench.engine.heldWorkerCount == 1)
        #expect(bench.engine.release())
        try await quiet(bench)
        #expect(try types().count { $0 == .workerJoined } == 1)
        #expect(try types().count { $0 == .workerLeft } == 0)
        await bench.engine.stop()
    }

    @Test("A release that comes while it stops starts nothing")
    func late() async throws {
        let bench = try EngineBench(log, isHeld: true)
        bench.join()
        try await bench.submit(1)
        await bench.engine.drain(grace: .zero)
        #expect(!bench.engine.release())
        bench.join()
        try await quiet(bench)
        #expect(bench.runner.assignments.isEmpty)
        await bench.engine.stop()
        #expect(try !types().contains(.attemptStarted))
    }

    @Test("Its thread turns when it is woken, though there is nothing to do")
    func turns() async throws {
        let bench = try EngineBench(log)
        for _ in 0..<3 {
            let before = bench.engine.turnCount
            bench.engine.wake()
            await bench.until { bench.engine.turnCount > before }
        }
        await bench.engine.stop()
    }
}
