import StepwellHistory
import StepwellLog
import StepwellModel
import Testing

@Suite("A walk through a task's events")
struct WalkTests {
    @Test("Each event with the steps that it moved; replaying the changes gives the task's end")
    func frames() throws {
        var recorded = try Recorded([.step("a"), .step("b", after: [0]), .step("c")])
        try recorded.fail("a", Failure(message: "once"))
        try recorded.pass(1000)
        try recorded.succeed("a")
        try recorded.fail("c", Failure(message: "no", retryable: false))
        try recorded.succeed("b")
        try recorded.retry()
        try recorded.cancel(nil)
        try recorded.succeed("c")
        let walk = try #require(try TaskWalk.read(recorded.task, from: recorded.log))
        var states = [StepState](repeating: .pending, count: 3)
        for frame in walk.frames {
            for change in frame.changes {
                #expect(states[change.step] == change.before)
                #expect(change.before != change.after)
                states[change.step] = change.after
            }
            let report = try TaskReport.read(recorded.task, from: recorded.log, at: .event(frame.record.number))
            #expect(report?.steps.map(\.state) == states)
        }
        #expect(states == [.complete, .complete, .cancelled])
        #expect(walk.frames[0].state == .pending)
        #expect(walk.frames.compactMap(\.state).last == .cancelled)
        #expect(walk.frames.count == Int(try #require(try recorded.log.task(recorded.task)).eventCount))
    }

    @Test("To the next failure and back")
    func failures() throws {
        var recorded = try Recorded([.step("a", retry: RetryPolicy(attemptsMax: 2, backoff: .none))])
        try recorded.fail("a", Failure(message: "once"))
        try recorded.pass(0)
        try recorded.fail("a", Failure(message: "twice"))
        let walk = try #require(try TaskWalk.read(recorded.task, from: recorded.log))
        func type(_ place: Int?) -> String? { place.flatMap { walk.frames[$0].record.json(["a"])["type"]?.string } }
        let first = try #require(walk.failure(from: 0, forward: true))
        #expect(type(first) == "attempt.failed")
        let second = try #require(walk.failure(from: first, forward: true))
        #expect(type(second) == "attempt.failed")
        #expect(type(walk.failure(from: second, forward: true)) == "step.failed")
        #expect(walk.failure(from: second, forward: false) == first)
        #expect(walk.failure(from: first, forward: false) == nil)
        #expect(walk.failure(from: walk.frames.count - 1, forward: true) == nil)
    }

    @Test("Up to a moment, and of no task")
    func moments() throws {
        let recorded = try Recorded([.step("a")])
        let whole = try #require(try TaskWalk.read(recorded.task, from: recorded.log))
        let number = whole.frames[1].record.number
        #expect(try TaskWalk.read(recorded.task, from: recorded.log, at: .event(number))?.frames.count == 2)
        #expect(try TaskWalk.read(recorded.task, from: recorded.log, at: .event(.zero)) == nil)
        #expect(try TaskWalk.read(TaskID(high: 1, low: 1), from: recorded.log) == nil)
    }
}
