import StepwellHistory
import StepwellLog
import StepwellModel
import Testing

@Suite("The whole engine at a moment")
struct WorldTests {
    @Test("Before the first event there is nothing")
    func empty() throws {
        let recorded = try Recorded([.step("a")])
        let world = try World.read(recorded.log, at: .event(.zero))
        #expect(world.events == .zero)
        #expect(world.tasks.isEmpty && world.workers.isEmpty && world.attempts.isEmpty)
        #expect(world.engineStarted == .zero)
        #expect(world.json["counts"]?.members?.isEmpty == true)
    }

    @Test("Open tasks, workers, attempts, queue and timers, each as it was then")
    func world() throws {
        var recorded = try Recorded(
            [.step("a", timeout: .seconds(60)), .step("b"), .step("c", after: [1])], slots: 1)
        let first = recorded.task
        let early = recorded.log.head.number
        try recorded.submitAnother(Template([.step("d")]), key: "tuesday")
        let world = try World.read(recorded.log)
        #expect(world.tasks.map(\.id) == [first, recorded.task])
        #expect(world.counts.map(\.count) == [1, 1])
        #expect(world.workers.map(\.busy) == [1])
        #expect(world.attempts.map(\.step) == ["a"])
        #expect(world.attempts[0].worker?.name == "python#1")
        #expect(world.attempts[0].deadline == Recorded.begin.advanced(by: .seconds(60)))
        #expect(world.queue.map(\.step) == ["b", "d"])
        #expect(world.timers.map(\.isDeadline) == [true])
        #expect(try World.read(recorded.log, at: .event(early)).tasks.map(\.id) == [first])
        let json = world.json
        #expect(json["queue"]?[1]?["wait"]?["reason"]?.string == "place")
        #expect(json["queue"]?[1]?["wait"]?["workers"]?.array == ["python#1"])
        #expect(json["timers"]?[0]?["kind"]?.string == "deadline")
        #expect(json["tasks"]?[1]?["key"]?.string == "tuesday")
        #expect(json["workers"]?[0]?["handlers"]?.array == ["h"])
    }

    @Test("A retry is due; a stopped engine says so; a closed task is not there")
    func end() throws {
        var recorded = try Recorded([.step("a")])
        try recorded.fail("a", Failure(message: "once"))
        #expect(try World.read(recorded.log).timers.map(\.due) == [Recorded.begin.advanced(by: .seconds(1))])
        try recorded.pass(1000)
        try recorded.succeed("a")
        #expect(try World.read(recorded.log).tasks.isEmpty)
        #expect(try !World.read(recorded.log).isStopping)
        try recorded.stop()
        #expect(try World.read(recorded.log).isStopping)
    }

    @Test("An attempt whose task was cancelled is held until its worker has ended it")
    func givenUp() throws {
        var recorded = try Recorded([.step("a")])
        try recorded.cancel(nil)
        let attempt = try #require(try World.read(recorded.log).attempts.first)
        #expect(attempt.givenUp == .cancelled)
        #expect(attempt.deadline == nil)
    }
}
