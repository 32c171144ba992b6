import StepwellEngine
import StepwellLog
import StepwellModel
import Testing

@Suite("A full disk", .timeLimit(.minutes(1)))
struct FullDiskTests {
    private let log = FailingLog()
    private let bench: EngineBench

    init() throws {
        bench = try EngineBench(log)
    }

    @Test(
        "The turn that found no space is written when there is some; meanwhile commands are refused, and results wait")
    func waitsForSpace() async throws {
        bench.join()
        try await bench.submit(1)
        let running = await bench.assignment(0)
        log.fail(with: .diskFull(path: "store"))
        let kept = Task { try await bench.submit(2) }
        await bench.until { bench.storageNews == ["full"] }
        do {
            try await bench.submit(3)
            Issue.record("a command was accepted while the disk was full")
        } catch { #expect(error.code == "disk_full") }
        bench.engine.finish(running, .succeeded(.emptyObject, metadata: nil))
        #expect(try log.task(.numbered(1))?.state == .inProgress)

        log.fail(with: nil)
        try await kept.value
        #expect(try await bench.settled(1) == .complete)
        #expect(bench.storageNews == ["full", "free"])
        #expect(log.tryCount > log.appendCount)
        #expect(try log.task(.numbered(2))?.state == .inProgress)
        #expect(try log.task(.numbered(3)) == nil)
        try await bench.submit(3)
        await bench.engine.stop()
    }
}
