import Foundation
import StepwellModel
import Testing

@testable import StepwellEngine

@Suite("the end of a command", .timeLimit(.minutes(2)))
struct CommandEndTests {
    @Test("a stopped command ends with its whole group")
    func groupEnds() throws {
        let stage = CommandStage(clock: .stepped)
        stage.runner.run(FakeTask(shell: "sleep 1000 & echo $$ $! >&2; wait").assignment())
        let numbers = try stage.processes()
        let shell = try #require(WatchedProcess(numbers[0]))
        let sleeper = try #require(WatchedProcess(numbers[1]))
        stage.runner.stop(Lease(100), because: .timeout)
        #expect(try stage.host.outcome(of: 100).isStopped)
        #expect(shell.ends())
        #expect(sleeper.ends())
    }

    @Test("a command that ignores the request is killed after the grace, and so are its children")
    func ignoresRequest() throws {
        let stage = CommandStage(clock: .stepped)
        stage.runner.run(
            FakeTask(shell: "trap '' TERM; sh -c 'echo $PPID $$ >&2; sleep 1000; sleep 1000' & wait; wait").assignment()
        )
        let numbers = try stage.processes()
        let parent = try #require(WatchedProcess(numbers[0]))
        let child = try #require(WatchedProcess(numbers[1]))
        stage.runner.stop(Lease(100), because: .timeout)
        stage.context.reactor.advance(by: Milliseconds(4999))
        stage.context.reactor.settle()
        #expect(parent.isAlive)
        stage.context.reactor.advance(by: Milliseconds(1))
        #expect(try stage.host.outcome(of: 100).isStopped)
        #expect(parent.ends())
        #expect(child.ends())
    }

    @Test("a stopped process is ended too")
    func stoppedProcess() throws {
        let stage = CommandStage(clock: .stepped)
        stage.runner.run(FakeTask(shell: "echo $$ >&2; kill -STOP $$").assignment())
        _ = try stage.processes()
        stage.runner.stop(Lease(100), because: .cancelled)
        stage.context.reactor.advance(by: .seconds(5))
        #expect(try stage.host.outcome(of: 100).isStopped)
    }

    @Test("a command that succeeds although it was told to stop has its result reported")
    func lateSuccess() throws {
        let stage = CommandStage(clock: .stepped)
        stage.runner.run(
            FakeTask(shell: "trap 'echo 7; exit 0' TERM; sleep 1000 >/dev/null 2>&1 & echo $! >&2; wait").assignment())
        _ = try stage.processes()
        stage.runner.stop(Lease(100), because: .timeout)
        #expect(try stage.host.outcome(of: 100).result == "7")
    }

    @Test("a grandchild that holds the output open delays the end no longer than the grace, and is killed")
    func outputHeldOpen() throws {
        let stage = CommandStage(clock: .stepped)
        stage.runner.run(FakeTask(shell: "sleep 1000 & echo $$ $! >&2; echo 5").assignment())
        let numbers = try stage.processes()
        let sleeper = try #require(WatchedProcess(numbers[1]))
        if let shell = WatchedProcess(numbers[0]) { #expect(shell.ends()) }
        stage.context.reactor.settle()
        #expect(sleeper.isAlive)
        stage.context.reactor.advance(by: ChildProcess.emptyingGrace)
        #expect(try stage.host.outcome(of: 100).result == "5")
        #expect(sleeper.ends())
    }

    @Test("what a command leaves running in its group ends with it")
    func leftBehind() throws {
        let stage = CommandStage(clock: .stepped)
        stage.runner.run(FakeTask(shell: "sleep 1000 >/dev/null 2>&1 & echo $! >&2; echo 5").assignment())
        #expect(try stage.host.outcome(of: 100).result == "5")
        // It may be gone already, with its number.
        if let sleeper = WatchedProcess(try stage.processes()[0]) { #expect(sleeper.ends()) }
    }

    @Test("a runner that was told to drain leaves after its last attempt")
    func drain() throws {
        let stage = CommandStage(clock: .stepped)
        stage.runner.run(FakeTask(shell: "sleep 1000 >/dev/null & echo $! >&2; wait; echo 1").assignment())
        let sleeper = try #require(WatchedProcess(try stage.processes()[0]))
        stage.runner.drain()
        stage.context.reactor.settle()
        #expect(
            !stage.host.happenings.contains { happening in
                if case .left = happening { true } else { false }
            })
        sleeper.signal(SIGKILL)
        #expect(try stage.host.outcome(of: 100).result == "1")
        #expect(try stage.host.leaving(of: WorkerID(1)) == "drained")
    }

    @Test("a runner that is killed ends everything at once")
    func kill() throws {
        let stage = CommandStage(clock: .stepped)
        for lease: UInt64 in 100..<104 {
            stage.runner.run(FakeTask(shell: "trap '' TERM; sleep 1000; sleep 1000").assignment(lease: lease))
        }
        stage.runner.kill()
        for lease: UInt64 in 100..<104 { #expect(try stage.host.outcome(of: lease).isStopped) }
        _ = try stage.host.leaving(of: WorkerID(1))
    }

    @Test("hundreds of commands at once all end, and no descriptors are left")
    func many() throws {
        /// Those of the kinds that a command has: pipes, and names of processes. Other suites have sockets by the hundred.
        func openDescriptors() throws -> Int {
            let folder = "/proc/self/fd"
            return try FileManager.default.contentsOfDirectory(atPath: folder).count { name in
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")
                return target?.hasPrefix("pipe:") == true || target?.contains("pidfd") == true
            }
        }
        let stage = CommandStage()
        let range: Range<UInt64> = 100..<500
        for lease in range {
            stage.runner.run(FakeTask(shell: "cat >/dev/null; echo \(lease)").assignment(lease: lease))
        }
        for lease in range { #expect(try stage.host.outcome(of: lease).result == "\(lease)") }
        stage.context.reactor.settle()
        // Other suites run beside this one.
        #expect(try openDescriptors() < 400)
    }

    @Test("a reactor that stops leaves no dead child behind")
    func stoppedReactor() throws {
        let stage = CommandStage()
        stage.runner.run(FakeTask(shell: "echo $$ >&2; exec sleep 1000").assignment())
        let number = try #require(pid_t(try stage.processes()[0]))
        stage.context.reactor.stop()
        // A child that nobody has waited for keeps its number.
        let deadline = ContinuousClock.now + .seconds(30)
        while Glibc.kill(number, 0) == 0, ContinuousClock.now < deadline { sched_yield() }
        #expect(Glibc.kill(number, 0) == -1 && errno == ESRCH)
    }
}
