import StepwellModel
import Testing

@testable import StepwellEngine

@Suite("the end of a worker", .timeLimit(.minutes(2)))
struct WorkerEndTests {
    private let obedient = """
        hello(concurrency=2)
        leases = []
        while True:
            message = receive()
            if message['type'] == 'attempt': leases.append(message['lease'])
            if message['type'] == 'drain':
                say('draining')
                for lease in leases: send(type='result', lease=lease, result='done')
                send(type='drained')
                receive()
        """

    @Test("a drained worker finishes what it has, says so, exits, and is not started again")
    func drain() throws {
        let stage = WorkerStage()
        let supervisor = try stage.start(obedient)
        let join = try stage.host.join("python#1")
        try stage.run(on: join)
        let done = Signal()
        supervisor.drain(within: .seconds(60)) { done.send() }
        #expect(try stage.host.outcome(of: 100).result == "\"done\"")
        #expect(try stage.host.leaving(of: join.worker) == "drained")
        done.wait()
        stage.context.reactor.advance(by: .seconds(100))
        stage.context.reactor.settle()
        #expect(stage.host.happenings.count { if case .joined = $0 { true } else { false } } == 1)
    }

    @Test("a runner that the engine drains is not started again either")
    func drainedRunner() throws {
        let stage = WorkerStage()
        let supervisor = try stage.start(obedient)
        let join = try stage.host.join("python#1")
        stage.host.runner(join.worker)?.drain()
        #expect(try stage.host.leaving(of: join.worker) == "drained")
        let done = Signal()
        supervisor.drain(within: .seconds(60)) { done.send() }
        done.wait()
    }

    @Test("a worker that is not done in time is killed")
    func drainDeadline() throws {
        let stage = WorkerStage()
        let supervisor = try stage.start("hello()\nwhile True: receive()")
        let join = try stage.host.join("python#1")
        try stage.run(on: join)
        let done = Signal()
        supervisor.drain(within: .seconds(3)) { done.send() }
        stage.context.reactor.advance(by: .seconds(3))
        #expect(
            try stage.host.leaving(of: join.worker) == "it was not done within 3.0 s after it was told to finish")
        done.wait()
    }

    @Test("a worker that says that it is done and stays is killed after the grace")
    func staysAfterDrained() throws {
        let stage = WorkerStage()
        let supervisor = try stage.start(
            """
            hello(); receive()
            send(type='drained')
            print('bye', file=sys.stderr, flush=True)
            time.sleep(1000)
            """)
        let join = try stage.host.join("python#1")
        let done = Signal()
        supervisor.drain(within: .seconds(60)) { done.send() }
        _ = try stage.host.notice(with: "bye")
        stage.context.reactor.settle()
        stage.context.reactor.advance(by: .seconds(5))
        #expect(try stage.host.leaving(of: join.worker).hasPrefix("it did not exit within"))
        done.wait()
    }

    @Test("a killed supervisor ends the worker at once and starts no other")
    func kill() throws {
        let stage = WorkerStage()
        let supervisor = try stage.start(
            "signal.signal(signal.SIGTERM, signal.SIG_IGN); hello()\nwhile True: receive()")
        let join = try stage.host.join("python#1")
        let first = Signal()
        let second = Signal()
        supervisor.kill { first.send() }
        first.wait()
        #expect(try stage.host.leaving(of: join.worker) == "it was killed with the engine")
        supervisor.kill { second.send() }
        second.wait()
    }

    @Test("a supervisor that waits to start its worker again is ended without another start")
    func killBetweenStarts() throws {
        let stage = WorkerStage()
        let supervisor = try stage.start("sys.exit(1)")
        _ = try stage.host.notice(with: "started again")
        let done = Signal()
        supervisor.drain(within: .seconds(1)) { done.send() }
        done.wait()
        stage.context.reactor.advance(by: .seconds(100))
        stage.context.reactor.settle()
        #expect(try stage.host.notice(with: "ready: ").contains("failed"))
        #expect(stage.host.happenings.count == 2)
    }

    @Test("a worker that wants to go by itself is started anew")
    func goesByItself() throws {
        let stage = WorkerStage()
        try stage.start("hello(); receive(); send(type='result', lease=100, result=1); send(type='drained')")
        let join = try stage.host.join("python#1")
        try stage.run(on: join)
        #expect(try stage.host.leaving(of: join.worker) == "drained")
        stage.context.reactor.advance(by: Milliseconds(100))
        _ = try stage.host.join("python#2")
    }
}
