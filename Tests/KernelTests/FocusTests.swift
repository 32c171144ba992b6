import StepwellModel
import Testing

@Suite("An engine for one task alone")
struct FocusTests {
    /// The engine starts again, and works on that task only.
    private func focus(_ story: inout Story, on label: String) throws -> [String] {
        let start = EngineStart(version: "1", processID: 3, host: "here", focus: story[label])
        return try story.turn([.init(.startEngine(start), by: .engine)])
    }

    @Test("Other tasks stand still until an engine without a focus comes")
    func othersWait() throws {
        var story = Story(steps("a, b < a"))
        _ = try story.submit("mine")
        _ = try story.submit("other")
        #expect(
            try focus(&story, on: "mine") == [
                "engine.started", "mine: attempt.lost a/1: engine_died", "other: attempt.lost a/1: engine_died",
                "mine: step.enqueued a", "other: step.enqueued a",
            ])
        #expect(story.join(.offering("h", slots: 9)) == ["worker.joined 1", "mine: attempt.started a/1 on 1"])
        _ = try story.succeed("a", of: "mine")
        #expect(try story.succeed("b", of: "mine").last == "mine: task.completed")
        #expect(story.state("a", of: "other") == .enqueued)
        _ = story.restart()
        #expect(story.join(.offering("h", slots: 9)) == ["worker.joined 1", "other: attempt.started a/1 on 1"])
    }

    @Test("A retry of another task comes due, and then waits as well")
    func othersRetries() throws {
        var story = Story(steps("a"))
        _ = try story.submit("mine")
        _ = try story.submit("other")
        _ = try story.fail("a", of: "other")
        _ = try focus(&story, on: "mine")
        _ = story.join(.offering("h", slots: 9))
        #expect(try story.pass(1000) == ["other: retry.due a", "other: step.enqueued a"])
        #expect(story.state("a", of: "other") == .enqueued)
    }

    @Test("A task that comes meanwhile is taken in and waits")
    func newTasks() throws {
        var story = Story(steps("a"))
        _ = try story.submit("mine")
        _ = try focus(&story, on: "mine")
        _ = story.join(.offering("h", slots: 9))
        #expect(try story.submit("late") == ["late: task.submitted", "late: step.enqueued a"])
        _ = story.restart()
        #expect(story.join(.offering("h", slots: 9)).contains("late: attempt.started a/1 on 1"))
    }

    @Test("Another task can be cancelled and resolved as ever")
    func othersObey() throws {
        var story = Story(steps("a"))
        for label in ["mine", "one", "two"] { _ = try story.submit(label) }
        _ = try focus(&story, on: "mine")
        #expect(try story.cancel("one").last == "one: task.cancelled")
        #expect(try story.resolve("a", of: "two").last == "two: task.completed")
        #expect(story.join(.offering("h")).last == "mine: attempt.started a/1 on 1")
    }
}
