import StepwellHTTP
import Synchronization
import Testing

@testable import StepwellWorker

@Suite("A worker's command line")
struct ProgramTests {
    private func read(_ line: String) throws -> WorkerCommand {
        try WorkerCommand(line.split(separator: " ").map(String.init))
    }

    @Test func allOptions() throws {
        let command = try read(
            "worker --concurrency=3 --server unix:a --name n --namespace x --namespace y --label k=v=w")
        var settings = WorkerSettings(concurrency: 9)
        guard case .work(let options) = command else {
            Issue.record("it is \(command)")
            return
        }
        options.apply(to: &settings)
        #expect(settings.concurrency == 3 && settings.name == "n" && settings.namespaces == ["x", "y"])
        #expect(settings.labels == ["k": "v=w"])
        #expect(try read("") == .work(.init()) && read("worker") == .work(.init()) && read("list") == .list)
        #expect(try read("worker --help") == .help && read("-h") == .help)
    }

    @Test(arguments: [
        "--colour red", "--concurrency 0", "--concurrency 1001", "--concurrency x", "--name", "--label x", "--label =x",
        "run", "--server=",
    ]) func whatMakesNoSense(_ line: String) {
        #expect(throws: UsageError.self) { try read(line) }
    }

    @Test func theVersionIsTheEngines() {
        let hello = WorkerSettings(concurrency: 1).hello([], isRemote: false)
        #expect(String(decoding: hello, as: UTF8.self).contains("stepwell-swift \(stepwellVersion)\""))
    }

    @Test func aServerThatIsGoneIsToldOnce() {
        let lines = Mutex<[String]>([])
        let reach = Reach { line in lines.withLock { $0.append(line) } }
        reach.isThere("there")
        reach.isGone(.noTrust("there", reason: "who is it"))
        reach.isGone(.notReached("there", reason: "nobody"))
        reach.isThere("there")
        reach.isThere("there")
        let told = lines.withLock { $0 }
        #expect(told.count == 2 && told.last == "there answers again")
        #expect(told.first?.contains("who is it; trying again: SSL_CERT_FILE") == true)
    }

    @Test func aWorkerWithoutWorkOrPlace() async throws {
        await #expect(throws: WorkerError.badWorker("the worker has no handlers")) { try await Worker().run() }
        #expect(throws: WorkerError.self) { try Worker(server: "http://127.0.0.1:1", concurrency: 0) }
        #expect(throws: (any Error).self) { try Worker(server: "ftp://x") }
    }
}
