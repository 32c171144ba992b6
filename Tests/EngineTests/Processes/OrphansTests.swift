import Glibc
import StepwellModel
import Testing

@testable import StepwellEngine

@Suite("processes of a killed engine", .timeLimit(.minutes(2)))
struct OrphansTests {
    @Test("are found by their mark and killed with their groups; those of this start are spared")
    func kill() throws {
        let store = "orphans-\(getpid())"
        let stage = CommandStage(storeID: store)
        stage.runner.run(
            FakeTask(shell: "sleep 1000 & a=$!; env -i sleep 1000 & echo $$ $a $! >&2; wait").assignment())
        let numbers = try stage.processes()
        let first = try #require(WatchedProcess(numbers[1]))
        let bare = try #require(WatchedProcess(numbers[2]))
        #expect(Orphans.kill(storeID: store, except: "1") == 0)
        #expect(Orphans.kill(storeID: "another", except: "2") == 0)
        #expect(first.isAlive && bare.isAlive)
        #expect(Orphans.kill(storeID: store, except: "2") == 3)
        #expect(!first.isAlive && !bare.isAlive)
        #expect(try stage.host.outcome(of: 100).failure?.errorType == "signal")
        #expect(Orphans.kill(storeID: store, except: "2") == 0)
    }

    @Test("keep the mark of an outer engine beside their own")
    func nested() throws {
        var environment = ProcessEnvironment.inherited()
        environment[EngineMark.variable] = "outer:9"
        let context = ProcessContext(
            host: FakeHost(), mark: EngineMark(storeID: "inner", start: "4"), environment: environment)
        defer { context.reactor.stop() }
        #expect(context.environment[EngineMark.variable] == "outer:9,inner:4")
    }
}
