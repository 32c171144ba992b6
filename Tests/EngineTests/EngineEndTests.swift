import StepwellEngine
import StepwellKernel
import StepwellLog
import StepwellModel
import Testing

@Suite("When the engine ends", .timeLimit(.minutes(1)))
struct EngineEndTests {
    private let log = FailingLog()
    private let engine: EngineCore
    private let template = Template(
        namespace: "tests", name: "lonely", version: "1", steps: [StepTemplate(name: "a", handler: .callable("h"))])

    init() throws {
        engine = try EngineCore(log: log)
        _ = try engine.start(EngineStart(version: "1", processID: 1, host: "here"))
    }

    private func submit(_ low: UInt64, key: String? = nil) async throws -> TaskID {
        let id = TaskID(high: 0x7000, low: low)
        let submission = Submission(
            template: template.digest, namespace: "tests", name: "lonely", version: "1", key: key,
            correlationID: "c")
        try await engine.send(.submitTask(id, submission, template, known: nil, replacing: false), by: Actor(.client))
        return id
    }

    private func settled(_ task: TaskID) async -> Result<TaskState, EngineError> {
        await withCheckedContinuation { continuation in
            engine.whenSettled(task) { continuation.resume(returning: $0) }
        }
    }

    @Test("Whoever waits for a task hears that it will not come")
    func waiters() async throws {
        let task = try await submit(1)
        let (answers, continuation) = AsyncStream.makeStream(of: Result<TaskState, EngineError>.self)
        engine.whenSettled(task) { continuation.yield($0) }
        await engine.stop()
        let answer = await answers.first { _ in true }
        #expect(throws: EngineError.self) { try answer?.get() }
    }

    @Test("Whatever is asked after the end is refused")
    func afterTheEnd() async throws {
        await engine.stop()
        await #expect(throws: EngineError.self) { try await engine.ask { $0.openTaskCount } }
        await #expect(throws: EngineError.self) { _ = try await submit(1) }
        let answer = await settled(TaskID(high: 0x7000, low: 1))
        #expect(throws: EngineError.self) { try answer.get() }
        await engine.drain(grace: .seconds(60))
        await engine.stop()
    }

    @Test("A log that fails ends the engine, and the command that met it is answered with the reason")
    func failedLog() async throws {
        log.fail(with: .inputOutput(operation: "mdb_txn_commit", reason: "Input/output error"))
        do {
            _ = try await submit(1)
            Issue.record("the command was accepted")
        } catch let error as EngineError {
            #expect(error.code == "store_io")
        }
        log.fail(with: nil)
        await #expect(throws: EngineError.self) { _ = try await submit(2) }
        await engine.drain(grace: .seconds(60))
        await engine.stop()
        #expect(try log.openTasks().isEmpty)
    }

    @Test("A key whose owner cannot be read is not given away")
    func unreadableKey() async throws {
        log.failKeys(with: .corrupt("a task's id is not 16 bytes long", at: nil))
        await #expect(throws: EngineError.self) { _ = try await submit(1, key: "k") }
        log.failKeys(with: nil)
        _ = try await submit(2, key: "k")
        #expect(try log.openTasks().count == 1)
        await engine.stop()
    }

    @Test("A full disk does not keep the engine from being stopped")
    func fullDisk() async throws {
        log.fail(with: .diskFull(path: "store"))
        let submitted = Task { try await submit(1) }
        await engine.drain(grace: .seconds(60))
        await engine.stop()
        await #expect(throws: EngineError.self) { try await submitted.value }
    }
}
