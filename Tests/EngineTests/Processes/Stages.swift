import CLinux
import Glibc
import StepwellModel

@testable import StepwellEngine

/// A command runner on a host that only remembers.
final class CommandStage {
    let host: FakeHost
    let context: ProcessContext
    let runner: CommandRunner

    init(
        clock: Reactor.Clock = .monotonic, limits: Limits = Limits(), storeID: String = "tests",
        results: [String: Result<JSONText, FetchError>] = [:]
    ) {
        host = FakeHost(limits: limits, results: results)
        context = ProcessContext(
            host: host, mark: EngineMark(storeID: storeID, start: "1"), reactor: Reactor(clock: clock))
        runner = CommandRunner(context: context, slots: 4)
    }

    deinit {
        runner.kill()
        context.reactor.stop()
    }

    /// The numbers of processes that the command writes as its first line.
    func processes() throws -> [String] {
        try host.first("process numbers") { happening in
            guard case .logged(_, _, let text) = happening else { return nil }
            return text.split(separator: " ").map(String.init)
        }
    }

    func outcome(_ task: FakeTask) throws -> AttemptOutcome {
        runner.run(task.assignment())
        return try host.outcome(of: 100)
    }
}

/// Worker processes on a host that only remembers.
final class WorkerStage {
    let host: FakeHost
    let context: ProcessContext
    private var supervisors: [WorkerSupervisor] = []

    init(
        clock: Reactor.Clock = .stepped, limits: Limits = Limits(),
        results: [String: Result<JSONText, FetchError>] = [:], checkpointAnswer: Rejection? = nil
    ) {
        host = FakeHost(limits: limits, results: results, checkpointAnswer: checkpointAnswer)
        context = ProcessContext(
            host: host, mark: EngineMark(storeID: "tests", start: "1"), reactor: Reactor(clock: clock))
    }

    deinit {
        for supervisor in supervisors { supervisor.kill {} }
        context.reactor.stop()
    }

    /// What every worker of these tests begins with.
    private static let prelude = """
        import json, os, signal, sys, time
        def send(**message): print(json.dumps(message), flush=True)
        def receive():
            line = sys.stdin.readline()
            if not line: sys.exit(0)
            return json.loads(line)
        def hello(**more):
            send(type='hello', protocol=1, handlers=[{'name': 'h'}], **more)
            return receive()
        def say(text): send(type='log', text=text)

        """

    /// Starts a worker that is that Python script. What came of its first start is noted as `ready: …`.
    @discardableResult
    func start(_ script: String) throws -> WorkerSupervisor {
        try start(command: "python3 -ES -c '\((Self.prelude + script).replacing("'", with: "'\\''"))'")
    }

    @discardableResult
    func start(command: String) throws -> WorkerSupervisor {
        let supervisor = try WorkerSupervisor(command, context: context)
        supervisors.append(supervisor)
        let host = host
        supervisor.start { readiness in host.notice("ready: \(readiness)") }
        return supervisor
    }

    /// Gives the worker an attempt.
    func run(
        _ lease: UInt64 = 100, on join: WorkerJoin, _ task: FakeTask = FakeTask(.callable("h")),
        deadline: Timestamp? = nil
    ) throws {
        host.runner(join.worker)?.run(task.assignment(lease: lease, worker: join.worker, deadline: deadline))
    }
}

extension Reactor {
    /// Returns when the reactor has looked at everything that is ready now.
    func settle() {
        // The first job may run in a turn that had looked before; the second comes after another look.
        for _ in 0..<2 {
            let done = Signal()
            perform { done.send() }
            done.wait()
        }
    }
}

/// Lets one thread wait for another, once.
// A semaphore is made for use by many threads.
final class Signal: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func send() { sem_post(semaphore) }
    func wait() { sem_wait(semaphore) }
}

/// A process that a test watches, whatever becomes of its number.
final class WatchedProcess {
    private let descriptor: Int32

    init?(_ text: some StringProtocol) {
        guard let number = pid_t(text) else { return nil }
        descriptor = pidfd_open(number, 0)
        guard descriptor >= 0 else { return nil }
    }

    deinit { close(descriptor) }

    /// Whether it ends within half a minute.
    func ends() -> Bool { poll(30_000) }

    var isAlive: Bool { !poll(0) }

    private func poll(_ milliseconds: Int32) -> Bool {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&polled, 1, milliseconds) == 1
    }

    func signal(_ number: Int32) { pidfd_send_signal(descriptor, number, nil, 0) }
}
