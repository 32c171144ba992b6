import Glibc
import StepwellModel
import Testing

@testable import StepwellEngine

@Suite("a faulty worker", .timeLimit(.minutes(2)))
struct WorkerFaultTests {
    @Test(
        "is ended for a line that is no message, its attempt is lost, and another takes its place",
        arguments: [
            ("print('garbage', flush=True)", "not JSON: expected an object at byte 0"),
            ("print(flush=True)", "not JSON: the text ends too early"),
            ("print('[1]', flush=True)", "expected an object"),
            ("send(type='dance')", "the message type 'dance' is unknown"),
            ("send(lease=1)", "'type' is missing"),
            ("send(type=5)", "'type' must be a string"),
            ("send(type='result', lease=100)", "'result' is missing"),
            ("send(type='result', result=1)", "'lease' is missing"),
            ("send(type='result', lease='100', result=1)", "'lease' must be a whole number"),
            ("send(type='result', lease=100.5, result=1)", "'lease' must be a whole number"),
            ("send(type='result', lease=-1, result=1)", "'lease' must be a whole number above 0"),
            ("send(type='result', lease=100, result=1, metadata=[])", "'metadata' must be an object"),
            ("send(type='result', lease=77, result=1)", "the lease 77 is none of this worker's"),
            ("send(type='heartbeat', lease=77)", "the lease 77 is none of this worker's"),
            ("send(type='failure', lease=100)", "'message' is missing"),
            ("send(type='failure', lease=100, message='m', retryable='no')", "'retryable' must be true or false"),
            ("send(type='failure', lease=100, message='m', retry_after_ms=-1)", "'retry_after_ms' must be 0 or more"),
            ("send(type='log', lease=100, level='loud', text='')", "'level' must be debug, info, warning or error"),
            ("send(type='log', text=None)", "'text' must be a string"),
            ("send(type='fetch', lease=100, step='s')", "'id' is missing"),
            ("send(type='stopped', lease=100)", "'stopped' for an attempt that nobody has stopped"),
            ("hello()", "hello came twice"),
            ("sys.stdout.buffer.write(b'{\"type\":\"\\xff\"}\\n'); sys.stdout.flush()", "not UTF-8"),
            ("print('{\"a\":' + '[' * 600, flush=True)", "nested deeper"),
        ])
    func malformed(_ script: String, _ reason: String) throws {
        let stage = WorkerStage()
        try stage.start(
            """
            hello(); receive()
            \(script)
            time.sleep(1000)
            """)
        let join = try stage.host.join("python#1")
        try stage.run(on: join)
        #expect(try stage.host.leaving(of: join.worker).hasPrefix("malformed message: "))
        _ = try stage.host.notice(with: reason)
        _ = try stage.host.notice(with: "started again in 100 ms")
        stage.context.reactor.advance(by: Milliseconds(100))
        let next = try stage.host.join("python#2")
        #expect(next.worker != join.worker)
    }

    @Test(
        "is ended when its hello is none",
        arguments: [
            ("send(type='heartbeat', lease=1)", "the first message must be hello"),
            ("send(type='hello', handlers=[{'name': 'h'}])", "'protocol' is missing"),
            ("send(type='hello', protocol=1)", "'handlers' is missing"),
            ("send(type='hello', protocol=1, handlers=[])", "at least one handler"),
            ("send(type='hello', protocol=1, handlers=[{}])", "a 'name' that is a string"),
            ("send(type='hello', protocol=1, handlers=[{'name': 'h', 'version': 2}])", "must be a string"),
            ("hello(concurrency=0)", "'concurrency' must be 1 to 1000"),
            ("hello(concurrency=1001)", "'concurrency' must be 1 to 1000"),
        ])
    func badHello(_ script: String, _ reason: String) throws {
        let stage = WorkerStage()
        try stage.start("\(script)\ntime.sleep(1000)")
        _ = try stage.host.notice(with: reason)
        #expect(try stage.host.notice(with: "ready: ").contains("failed"))
        #expect(
            !stage.host.happenings.contains { happening in
                if case .joined = happening { true } else { false }
            })
    }

    @Test("is ended for a line that is too long, complete or not", arguments: ["\\n", ""])
    func tooLong(_ end: String) throws {
        var limits = Limits()
        limits.lineBytesMax = 1000
        let stage = WorkerStage(limits: limits)
        try stage.start(
            """
            hello()
            sys.stdout.write('"' + 'x' * 1000 + '"\(end)'); sys.stdout.flush()
            time.sleep(1000)
            """)
        let join = try stage.host.join("python#1")
        #expect(try stage.host.leaving(of: join.worker) == "malformed message: a line is longer than 1000 bytes")
        // The excerpt is cut.
        #expect(try stage.host.notice(with: "is longer than").utf8.count < 400)
    }

    @Test("that dies in the middle takes its attempts with it, once")
    func dies() throws {
        let stage = WorkerStage()
        try stage.start(
            """
            hello(concurrency=2)
            receive()
            send(type='result', lease=receive()['lease'], result='just in time')
            os.kill(os.getpid(), signal.SIGKILL)
            """)
        let join = try stage.host.join("python#1")
        try stage.run(100, on: join)
        try stage.run(101, on: join)
        #expect(try stage.host.leaving(of: join.worker) == "it was ended by signal 9 (SIGKILL)")
        #expect(try stage.host.outcome(of: 101).result == "\"just in time\"")
        stage.context.reactor.advance(by: Milliseconds(100))
        _ = try stage.host.join("python#2")
        var left = 0
        for happening in stage.host.happenings {
            switch happening {
            case .left: left += 1
            case .finished(let lease, _): #expect(lease == Lease(101))
            default: break
            }
        }
        #expect(left == 1)
    }

    @Test("that does not say hello in time is ended")
    func silent() throws {
        let stage = WorkerStage()
        try stage.start("say = None\nprint('up', file=sys.stderr, flush=True)\ntime.sleep(1000)")
        _ = try stage.host.notice(with: "up")
        stage.context.reactor.advance(by: Milliseconds(29_999))
        stage.context.reactor.settle()
        #expect(stage.host.happenings.count == 1)
        stage.context.reactor.advance(by: Milliseconds(1))
        _ = try stage.host.notice(with: "it did not say hello within 30.0 s")
        #expect(try stage.host.notice(with: "ready: ").contains("failed"))
    }

    @Test("that dies again and again is started with growing pauses and given up after five silent starts")
    func givenUp() throws {
        let stage = WorkerStage()
        try stage.start("sys.exit(7)")
        for (number, pause) in [(1, 100), (2, 200), (3, 400), (4, 800)] {
            let words = "python#\(number) is gone: it ended with status 7; started again in \(pause) ms"
            _ = try stage.host.notice(with: words)
            stage.context.reactor.advance(by: Milliseconds(Int64(pause)))
        }
        let words = try stage.host.notice(with: "given up")
        #expect(words == "python#5 is given up (5 starts in a row without a hello): it ended with status 7")
        stage.context.reactor.advance(by: .seconds(100))
        stage.context.reactor.settle()
        #expect(stage.host.happenings.count == 6)
    }

    @Test("is started at once again after ten seconds of health; before, the pauses grow up to ten seconds")
    func pauses() throws {
        let stage = WorkerStage()
        try stage.start("hello(); receive(); sys.exit(1)")
        let pauses: [Int64] = [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]
        for (index, pause) in pauses.enumerated() {
            let join = try stage.host.join("python#\(index + 1)")
            try stage.run(UInt64(100 + index), on: join)
            let notice = try stage.host.notice(with: "python#\(index + 1) is gone")
            #expect(notice.hasSuffix("started again in \(Milliseconds(pause))"))
            stage.context.reactor.advance(by: Milliseconds(pause))
        }
        let join = try stage.host.join("python#\(pauses.count + 1)")
        stage.context.reactor.settle()
        stage.context.reactor.advance(by: .seconds(10))
        try stage.run(200, on: join)
        let notice = try stage.host.notice(with: "python#\(pauses.count + 1) is gone")
        #expect(notice.hasSuffix("started again in 100 ms"))
    }

    @Test("of another version of the protocol is ended for good")
    func otherVersion() throws {
        let stage = WorkerStage()
        try stage.start("send(type='hello', protocol=2); time.sleep(1000)")
        #expect(
            try stage.host.notice(with: "given up")
                == "python#1 is given up: it speaks version 2 of the worker protocol; this engine speaks version 1")
        #expect(try stage.host.notice(with: "ready: ").contains("failed"))
    }

    @Test("whose program does not exist is reported as not ready")
    func noProgram() throws {
        let stage = WorkerStage()
        try stage.start(command: "stepwell-no-such-program --x")
        let words = try stage.host.notice(with: "ready: ")
        #expect(words.contains("there is no program"))
        #expect(words.contains("install it"))
    }

    @Test("that does not stop an attempt is killed with its children")
    func ignoresCancel() throws {
        let stage = WorkerStage()
        try stage.start(
            """
            import subprocess; hello(); receive()
            say(str(subprocess.Popen(['sleep', '1000']).pid))
            while True: receive()
            """)
        let join = try stage.host.join("python#1")
        try stage.run(on: join)
        let number = try stage.host.notice(with: "python#1: ").dropFirst("python#1: ".count)
        let sleeper = try #require(WatchedProcess(number))
        stage.host.runner(join.worker)?.stop(Lease(100), because: .timeout)
        stage.context.reactor.advance(by: Milliseconds(4999))
        stage.context.reactor.settle()
        #expect(sleeper.isAlive)
        stage.context.reactor.advance(by: Milliseconds(1))
        #expect(
            try stage.host.leaving(of: join.worker)
                == "it did not end an attempt within 5.0 s after it was told to")
        #expect(sleeper.ends())
    }

    @Test("that reads nothing does not hold up another, and is killed when its attempts are stopped")
    func doesNotRead() throws {
        let stage = WorkerStage()
        try stage.start("hello(concurrency=50); os.kill(os.getpid(), signal.SIGSTOP)")
        let stuck = try stage.host.join("python#1")
        try stage.start(
            """
            hello()
            while True: send(type='result', lease=receive()['lease'], result=1)
            """)
        let well = try stage.host.join("python#2")
        var task = FakeTask(.callable("h"))
        task.input = JSONText(["big": .string(String(repeating: "b", count: 1 << 20))])
        for lease: UInt64 in 100..<150 { try stage.run(lease, on: stuck, task) }
        for lease: UInt64 in 200..<300 {
            try stage.run(lease, on: well)
            #expect(try stage.host.outcome(of: lease).result == "1")
        }
        stage.host.runner(stuck.worker)?.stop(Lease(100), because: .timeout)
        stage.context.reactor.advance(by: .seconds(5))
        _ = try stage.host.leaving(of: stuck.worker)
    }

    @Test("whose grandchild holds its output open leaves after the grace all the same")
    func outputHeldOpen() throws {
        let stage = WorkerStage()
        try stage.start(
            """
            import subprocess; hello(); say(str(os.getpid()))
            sleeper = subprocess.Popen(['sleep', '1000'])
            receive(); sys.exit(3)
            """)
        let join = try stage.host.join("python#1")
        let number = try stage.host.notice(with: "python#1: ").dropFirst("python#1: ".count)
        let process = try #require(WatchedProcess(number))
        try stage.run(on: join)
        #expect(process.ends())
        stage.context.reactor.settle()
        stage.context.reactor.advance(by: ChildProcess.emptyingGrace)
        #expect(try stage.host.leaving(of: join.worker) == "it ended with status 3")
    }
}
