import StepwellKernel
import StepwellModel
import Synchronization
import Testing

@testable import StepwellEngine

@Suite("an attempt outside of any engine", .timeLimit(.minutes(2)))
struct RehearsalTests {
    /// What the attempt was heard to do.
    private final class Heard: Sendable {
        private let lines = Mutex<[String]>([])

        var all: [String] { lines.withLock { $0 } }
        func hear(_ line: String) { lines.withLock { $0.append(line) } }

        var listener: Rehearsal.Listener {
            .init(
                logLine: { level, text in self.hear("\(level.name) \(text)") },
                checkpoint: { data in self.hear("checkpoint \(data)") }, notice: { text in self.hear(text) })
        }
    }

    private func run(
        _ task: FakeTask, results: [SequenceNumber] = [.zero], _ heard: Heard = Heard()
    ) async -> AttemptOutcome {
        let rehearsal = Rehearsal(task.assignment(), results: results, listener: heard.listener)
        let context = ProcessContext(host: rehearsal, mark: EngineMark(storeID: "tests", start: "1"))
        defer { context.reactor.stop() }
        let runner = CommandRunner(context: context, slots: 1)
        let outcome = await rehearsal.run()
        runner.kill()
        return outcome
    }

    /// Three steps in a row; the results of the first two are given.
    private func chain(_ script: String) -> FakeTask {
        var task = FakeTask(shell: script)
        task.steps = [
            StepTemplate(name: "far", handler: .command(["true"])),
            StepTemplate(name: "near", handler: .command(["true"]), dependencies: [0]),
            StepTemplate(name: "work", handler: .command(["sh", "-c", script]), dependencies: [1]),
        ]
        task.results = ["near": #"{"n":2}"#]
        task.checkpoint = #"{"row":1}"#
        return task
    }

    @Test("has its result and its log lines told, and nobody else")
    func success() async {
        let heard = Heard()
        let outcome = await run(FakeTask(shell: "echo working >&2; echo '{\"a\": 1.50}'"), heard)
        #expect(outcome.result == #"{"a": 1.50}"#)
        #expect(heard.all == ["info working"])
    }

    @Test("gets the results that its step's ancestors had then, near and far")
    func ancestors() async throws {
        let outcome = await run(chain("cat"), results: [SequenceNumber(2), SequenceNumber(2), .zero])
        let input = try JSONText(try #require(outcome.result)).json
        #expect(input["dependencies"] == ["near": ["n": 2], "far": ["n": 2]])
        #expect(input["checkpoint"] == ["row": 1])
        #expect(input["attempt"]?.int == 2)
    }

    @Test("finds null where a step was resolved by hand without a result")
    func noResult() async throws {
        let outcome = await run(chain("cat"), results: [.zero, SequenceNumber(2), .zero])
        #expect(try JSONText(try #require(outcome.result)).json["dependencies"]?["far"]?.isNull == true)
    }

    @Test("is held to its result schema and its timeout")
    func limits() async throws {
        var task = FakeTask(shell: "echo '\"text\"'")
        task.steps[0].resultSchema = try JSONText(#"{"type":"object"}"#)
        #expect(await run(task).failure?.errorType == "invalid_result")
        var slow = FakeTask(command: "sleep", "600")
        slow.steps[0].timeout = Milliseconds(50)
        #expect(await run(slow).failure?.errorType == "timeout")
    }

    @Test("fails when no worker has joined, and when its worker is gone")
    func noWorker() async {
        let rehearsal = Rehearsal(FakeTask(command: "true").assignment(), results: [], listener: Heard().listener)
        #expect(await rehearsal.run().failure?.message == "no worker has joined")
        rehearsal.leave(WorkerID(1), reason: "it exited with status 1")
        rehearsal.join(
            WorkerJoin(worker: WorkerID(1), name: "w", kind: .command, handlers: [], slots: 1),
            runner: InProcessRunner(host: rehearsal, handlers: [:]))
        #expect(await rehearsal.run().failure?.message == "the worker is gone: it exited with status 1")
    }

    @Test("stands in one document with all that it is given")
    func document() throws {
        let assignment = chain("cat").assignment()
        let json = try assignment.document(
            results: [SequenceNumber(2), SequenceNumber(2), .zero], recorded: ["outcome": "lost"]
        ).json
        #expect(json["format"]?.string == "stepwell-attempt")
        #expect(json["step"]?.string == "work")
        #expect(json["command"]?.array?.count == 3)
        #expect(json["dependencies"] == ["near": ["n": 2]])
        #expect(json["ancestors"] == ["far": ["n": 2]])
        #expect(json["checkpoint"] == ["row": 1])
        #expect(json["idempotency_key"]?.string == "\(FakeTask.id):work")
        #expect(json["recorded"] == ["outcome": "lost"])
    }
}
