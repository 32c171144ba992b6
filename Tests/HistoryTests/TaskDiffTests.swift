import StepwellHistory
import StepwellLog
import StepwellModel
import Testing

@Suite("Comparing two tasks")
struct TaskDiffTests {
    private let steps: [StepTemplate] = [.step("a"), .step("b"), .step("c", after: [0, 1])]

    /// Two tasks of the same template, each with its own way to the end.
    private func diff(
        _ first: (inout Recorded) throws -> Void, _ second: (inout Recorded) throws -> Void,
        other: Template? = nil, input: JSONText = .emptyObject
    ) throws -> TaskDiff {
        var recorded = try Recorded(steps)
        let before = recorded.task
        try first(&recorded)
        try recorded.submitAnother(other, input: input)
        try second(&recorded)
        return try #require(try TaskDiff.read(before, recorded.task, from: recorded.log))
    }

    private func succeed(_ recorded: inout Recorded) throws {
        for step in ["a", "b", "c"] { try recorded.succeed(step, #"{"rows":1}"#) }
    }

    @Test("Two clean runs are alike, in whatever order their steps ended")
    func alike() throws {
        let diff = try diff(succeed) { recorded in
            try recorded.succeed("b", #"{ "rows": 1.0 }"#)
            try recorded.pass(900)
            try recorded.succeed("a", #"{"rows":1}"#)
            try recorded.succeed("c", #"{"rows":1}"#)
        }
        #expect(diff.isAlike)
        #expect(diff.json["alike"]?.bool == true)
        #expect(diff.json["first"]?.isNull == true)
    }

    @Test("They go apart at the first event that differs, not at what follows from it")
    func first() throws {
        let diff = try diff(succeed) { recorded in
            try recorded.succeed("a", #"{"rows":1}"#)
            try recorded.fail("b", Failure(message: "503", errorType: "unavailable"))
            try recorded.pass(1000)
            try recorded.succeed("b", #"{"rows":2}"#)
            try recorded.succeed("c", #"{"rows":3}"#)
        }
        let first = try #require(diff.first)
        #expect(first.step == "b")
        guard case .attemptSucceeded = first.events.before?.event, case .attemptFailed = first.events.after?.event
        else {
            Issue.record("\(first)")
            return
        }
        #expect(diff.steps.map(\.name) == ["b", "c"])
        #expect(diff.steps[0].result == [JSONChange("/rows", 1, 2)])
        #expect(diff.steps[0].attempts?.before == ["succeeded"])
        #expect(diff.steps[0].attempts?.after == ["failed: unavailable: 503", "succeeded"])
        #expect(diff.steps[1].attempts == nil)
        // A second is no more than the threshold.
        #expect(diff.duration == nil)
        #expect(diff.json["first"]?["after"]?["type"]?.string == "attempt.failed")
    }

    @Test("One has ended where the other still runs")
    func open() throws {
        let diff = try diff(succeed) { _ in }
        #expect(diff.state?.after == .inProgress)
        #expect(diff.first?.step == "a")
        #expect(diff.first?.events.after == nil)
        #expect(diff.steps.map { $0.state?.after } == [.inProgress, .inProgress, .pending])
        #expect(diff.json["first"]?["after"]?.isNull == true)
    }

    @Test("Another input: they go apart from the start")
    func input() throws {
        let diff = try diff(succeed, succeed, input: JSONText(#"{"day":"monday"}"#))
        #expect(diff.input == [JSONChange("/day", nil, "monday")])
        #expect(diff.first?.step == nil)
        #expect(diff.steps.isEmpty)
        #expect(!diff.isAlike)
    }

    @Test("Another template: which keys of which steps")
    func template() throws {
        var changed = steps
        changed[1].retry.attemptsMax = 7
        changed[2].name = "d"
        changed[2].dependencies = [0]
        let other = Template(namespace: "tests", name: "report", version: "1.3.0", steps: changed)
        let diff = try diff(succeed, { try $0.succeed("a", #"{"rows":1}"#) }, other: other)
        #expect(
            diff.template.map(\.pointer) == ["/version", "/steps/b/retry/max_attempts", "/steps/c", "/steps/d"])
        #expect(diff.first?.step == nil)
    }

    @Test("Times count when they differ more than twofold and by more than a second")
    func durations() throws {
        func slowly(_ milliseconds: Int64) -> (inout Recorded) throws -> Void {
            { recorded in
                try recorded.pass(milliseconds)
                try succeed(&recorded)
            }
        }
        #expect(try diff(slowly(1000), slowly(1900)).isAlike)
        #expect(try diff(slowly(5000), slowly(9000)).isAlike)
        #expect(try diff(slowly(10), slowly(1010)).isAlike)
        let diff = try diff(slowly(100), slowly(1200))
        #expect(diff.duration?.after == Milliseconds(1200))
        #expect(diff.steps.map(\.name) == ["a", "b"])
        #expect(diff.steps[0].duration?.before == Milliseconds(100))
        #expect(diff.first == nil)
        #expect(!diff.isAlike)
    }

    @Test("Losses and what operators did count as well")
    func losses() throws {
        let lost = try diff(succeed) { recorded in
            try recorded.lose(1)
            try recorded.join(2)
            try succeed(&recorded)
        }
        guard case .attemptLost = lost.first?.events.after?.event else {
            Issue.record("\(String(describing: lost.first))")
            return
        }
        #expect(lost.steps[0].attempts?.after == ["lost: its worker died", "succeeded"])
        let resolved = try diff(succeed) { recorded in
            try recorded.succeed("a", #"{"rows":1}"#)
            try recorded.fail("b", Failure(message: "no", retryable: false))
            try recorded.resolve("b", #"{"rows":1}"#)
            try recorded.succeed("c", #"{"rows":1}"#)
        }
        #expect(resolved.steps.map(\.name) == ["b"])
        #expect(resolved.steps[0].state?.after == .resolvedManually)
        #expect(resolved.steps[0].result == [])
    }

    @Test("A worker that never reported an end is compared by its kind, not by a name that nobody knows")
    func silentWorkers() throws {
        let diff = try diff(succeed) { recorded in
            try recorded.succeed("a", #"{"rows":1}"#)
            try recorded.lose(1)
        }
        #expect(diff.steps.map(\.name) == ["b", "c"])
        #expect(diff.steps.allSatisfy { $0.worker == nil })
    }

    @Test("Many elements that only one of two arrays has are one line")
    func surplus() throws {
        func lines(_ before: String, _ after: String) throws -> [String] {
            try JSONDiff.changes(JSONText(before).json, JSONText(after).json).summed
        }
        let more = "[" + (0..<12).map(String.init).joined(separator: ",") + "]"
        #expect(try lines("[0, 1]", more) == ["(all of it): 10 elements more, such as /2: nothing → 2"])
        #expect(
            try lines("{\"a\": \(more), \"n\": 1}", #"{"a": [0], "n": 2}"#)
                == ["/a: 11 elements fewer, such as /a/1: 1 → nothing", "/n: 1 → 2"])
        #expect(try lines("[0]", "[0, 1, 2, 3]").count == 3)
        #expect(try lines(#"{"a": 1}"#, #"{"b": 1}"#) == ["/a: 1 → nothing", "/b: nothing → 1"])
    }

    @Test("Of an unknown task there is no comparison")
    func unknown() throws {
        let recorded = try Recorded(steps)
        #expect(try TaskDiff.read(recorded.task, TaskID(high: 1, low: 1), from: recorded.log) == nil)
    }
}
