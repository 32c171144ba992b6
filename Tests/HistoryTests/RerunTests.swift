import StepwellLog
import StepwellModel
import Testing

@testable import StepwellHistory

@Suite("Recorded runs gone through again")
struct RerunTests {
    private let steps: [StepTemplate] = [
        .step("fetch", retry: RetryPolicy(attemptsMax: 3, initialDelay: .seconds(1)), timeout: .seconds(60)),
        .step("count"), .step("join", after: [0, 1]),
    ]

    private func rerun(_ recorded: Recorded, _ template: Template? = nil) throws -> RerunReport {
        let run = try #require(try RecordedRun(recorded.task, from: recorded.log))
        return RerunReport(run, with: template)
    }

    /// The recorded run with a template whose steps are a little different.
    private func rerun(_ recorded: Recorded, _ change: (inout [StepTemplate]) -> Void) throws -> RerunReport {
        var changed = steps
        change(&changed)
        return try rerun(recorded, Template(changed))
    }

    /// `fetch` needs two attempts, and 40 seconds for the second.
    private func whole() throws -> Recorded {
        var recorded = try Recorded(steps)
        try recorded.succeed("count", #"{"n": 7}"#)
        try recorded.fail("fetch", Failure(message: "503", errorType: "unavailable"))
        try recorded.pass(1000)
        try recorded.pass(40_000)
        try recorded.succeed("fetch", #"{"rows": 2}"#)
        try recorded.succeed("join", "[]")
        return recorded
    }

    /// `fetch` has failed for good, and was retried by hand in vain.
    private func blocked() throws -> Recorded {
        var recorded = try Recorded(steps)
        try recorded.succeed("count")
        for _ in 0..<2 {
            try recorded.fail("fetch", Failure(message: "no such table", errorType: "missing", retryable: false))
            try recorded.pass(5000)
            if try recorded.report()?.steps[0].starts == 1 { try recorded.retry(reason: "perhaps") }
        }
        return recorded
    }

    /// Paused while `fetch` ran, for two hours.
    private func paused() throws -> Recorded {
        var recorded = try Recorded(steps)
        try recorded.pause("later")
        try recorded.succeed("count", "1")
        try recorded.pass(500)
        try recorded.succeed("fetch", "2")
        try recorded.pass(7_200_000)
        try recorded.resume(nil)
        try recorded.pass(10)
        try recorded.succeed("join", "3")
        return recorded
    }

    // MARK: The template that it had

    @Test("A run comes to the same with the template that it had")
    func alike() throws {
        for recorded in [try whole(), try blocked(), try paused()] {
            let report = try rerun(recorded)
            #expect(report.verdict == .alike, "\(report)")
            #expect(report.assumptions.isEmpty)
            #expect(report.state.before == report.state.after)
        }
    }

    @Test(
        "So does every task of a night by chance, from the store and from a file",
        arguments: 1...12 as ClosedRange<UInt64>)
    func everyTask(seed: UInt64) throws {
        let night = try WrittenStore()
        try night.live(turns: 150, seed: seed)
        var ends: Set<TaskState> = []
        for task in night.tasks {
            guard let run = try RecordedRun(task, from: night.log) else { continue }
            let report = RerunReport(run)
            #expect(report.verdict == .alike, "\(task): \(report.text(source: ""))")
            #expect(report.assumptions.isEmpty)
            ends.insert(run.state)
            let bundle = try #require(try RunBundle.export(task, from: night.log, version: "1"))
            #expect(try RerunReport(RecordedRun(bundle)).json(source: "") == report.json(source: ""))
        }
        #expect(ends.count >= 4)
    }

    // MARK: Other ends

    @Test("An attempt fewer is another end")
    func fewerAttempts() throws {
        let report = try rerun(whole()) { $0[0].retry.attemptsMax = 1 }
        #expect(report.verdict == .different)
        #expect(
            report.differences == [
                "the task was complete, and would be blocked_by_failures",
                "fetch was complete, and would be error, started once instead of twice", "never reached any more: join",
            ])
    }

    @Test("A timeout that the recorded attempt would not have kept is another end")
    func shorterTimeout() throws {
        let report = try rerun(whole()) { $0[0].timeout = .seconds(30) }
        #expect(report.verdict == .different)
        #expect(report.state.after == .blockedByFailures)
        // The second attempt and the third, which was never recorded, take as long.
        #expect(report.assumptions == ["fetch runs more often than it did then: taken to end as it did the last time"])
    }

    @Test("A result that does not fit its schema any more is told with the place and the event")
    func misfit() throws {
        let report = try rerun(whole()) {
            $0[1].resultSchema = try! JSONText(#"{"properties": {"n": {"type": "string"}}}"#)
        }
        #expect(report.verdict == .different)
        let told = try #require(report.differences.first { $0.hasPrefix("count was complete, and would be error") })
        #expect(told.contains("/n") && told.contains("result_schema") && told.contains("(#"))
    }

    @Test("An input that would be refused is another end")
    func input() throws {
        var template = Template(steps)
        template.inputSchema = try JSONText(#"{"required": ["day"]}"#)
        let report = try rerun(whole(), template)
        #expect(report.verdict == .different)
        #expect(report.state.after == nil)
        #expect(report.differences.count == 1 && report.differences[0].contains("day"))
        #expect(report.text(source: "x")[0].hasSuffix("complete → refused"))
    }

    @Test("What ran out of time then, and has no timeout now, is taken to run for ever")
    func noTimeout() throws {
        var recorded = try Recorded(steps)
        try recorded.succeed("count")
        try recorded.pass(60_000)
        try recorded.pass(1000)
        try recorded.succeed("fetch")
        try recorded.succeed("join")
        #expect(try rerun(recorded).verdict == .alike)
        let report = try rerun(recorded) { $0[0].timeout = nil }
        #expect(report.verdict == .different)
        #expect(report.state.after == .inProgress)
        #expect(report.assumptions.count == 1)
    }

    // MARK: Other ways to the same end

    @Test("More attempts than were needed change nothing; more in vain are told")
    func moreAttempts() throws {
        #expect(try rerun(whole()) { $0[0].retry.attemptsMax = 9 }.verdict == .alike)
        var recorded = try Recorded(steps)
        try recorded.succeed("count")
        for _ in 0..<3 {
            try recorded.fail("fetch", Failure(message: "503", errorType: "unavailable"))
            try recorded.pass(10_000)
        }
        let report = try rerun(recorded) { $0[0].retry.attemptsMax = 5 }
        #expect(report.verdict == .changed)
        #expect(report.state.after == .blockedByFailures)
        #expect(report.changes.contains("fetch is started 5 times instead of 3 times"))
        #expect(report.assumptions == ["fetch runs more often than it did then: taken to end as it did the last time"])
    }

    @Test("Steps that are new or gone, and other dependencies, are told")
    func edges() throws {
        let report = try rerun(
            whole(),
            Template([.step("fetch", retry: steps[0].retry), .step("audit"), .step("join", after: [0, 1])]))
        #expect(report.verdict == .changed)
        #expect(
            report.changes == ["audit is new", "count is gone", "join waits for audit"])
        #expect(
            report.assumptions == [
                "audit has never run in the recording: taken to succeed at once, without a result"
            ])
        let chained = try rerun(whole(), Template([steps[0], .step("count", after: [0]), .step("join", after: [1])]))
        // `join` still waits for `fetch`, by way of `count`.
        #expect(chained.changes == ["count waits for fetch"])
        #expect(try rerun(whole()) { $0[2].dependencies = [0] }.changes == ["join waits no longer for count"])
    }

    @Test("A wait that is much longer is told")
    func longer() throws {
        let report = try rerun(whole()) {
            $0[0].retry.initialDelay = .seconds(600)
            $0[0].retry.maximumDelay = .seconds(600)
        }
        #expect(report.changes == ["it takes 10 min 40 s instead of 41.0 s"])
        #expect(report.duration.after == .seconds(640))
    }

    @Test("Another handler is told, as its results are those of the old one")
    func handler() throws {
        let report = try rerun(whole()) { $0[1].handler = .callable("other") }
        #expect(report.verdict == .alike)
        #expect(report.assumptions == ["count has another handler now: its results are those of the old one"])
    }

    // MARK: Operators

    @Test("What operators did is done again: retries, results by hand, the end")
    func operators() throws {
        var recorded = try blocked()
        try recorded.resolve("fetch", #"{"rows": 0}"#)
        try recorded.succeed("join")
        #expect(try rerun(recorded).verdict == .alike)
        #expect(try rerun(recorded).state.after == .complete)
        var cancelled = try blocked()
        try cancelled.cancel("enough")
        #expect(try rerun(cancelled).verdict == .alike)
        #expect(try rerun(cancelled).state.after == .cancelled)
    }

    @Test("What is not needed any more, or names a step that is gone, is told")
    func actionsLeftOut() throws {
        var recorded = try blocked()
        try recorded.resolve("fetch", nil)
        try recorded.succeed("join")
        let report = try rerun(recorded, Template([.step("count"), .step("join", after: [0])]))
        #expect(report.state.after == .complete)
        #expect(report.changes.count { $0.hasPrefix("what an operator did then (#") } == 2)
    }

    // MARK: Recordings that are not whole

    @Test("A run that was not over is followed to where its recording ends")
    func open() throws {
        var recorded = try Recorded(steps)
        #expect(try rerun(recorded).verdict == .alike)
        try recorded.succeed("count")
        try recorded.fail("fetch", Failure(message: "503", errorType: "unavailable"))
        #expect(try rerun(recorded).verdict == .alike)
        let report = try rerun(recorded) { $0[0].retry.attemptsMax = 1 }
        #expect(report.verdict == .alike, "what comes of a step that is not over, nobody knows")
        #expect(try rerun(recorded) { $0[1].resultSchema = try! JSONText(#"{"type": "array"}"#) }.verdict == .different)
    }

    @Test("A run without steps that ever ran is a recording too")
    func untouched() throws {
        var recorded = try Recorded(steps, slots: 1)
        try recorded.submitAnother()
        let report = try rerun(recorded)
        #expect(report.verdict == .alike, "\(report)")
    }

    @Test("A value that was taken out is held against no schema")
    func redacted() throws {
        let night = try WrittenStore()
        let task = try night.submit(WrittenStore.single, input: #"{"day": 1}"#)
        try night.turn([
            (
                .finishAttempt(task, night.attempts[0].attempt, .succeeded(try JSONText(#"{"n": 1}"#), metadata: nil)),
                .worker
            )
        ])
        var template = WrittenStore.single
        template.steps[0].resultSchema = try JSONText(#"{"properties": {"n": {"type": "integer"}}}"#)
        template.inputSchema = try JSONText(#"{"properties": {"day": {"type": "integer"}}}"#)
        for pointers in [[], ["/n"], ["/day"], ["/n", "/day"]] {
            let bundle = try #require(try RunBundle.export(task, from: night.log, redacting: pointers, version: "1"))
            #expect(try RerunReport(RecordedRun(bundle), with: template).verdict == .alike, "\(pointers)")
        }
        template.steps[0].resultSchema = try JSONText(#"{"type": "string"}"#)
        let bundle = try #require(try RunBundle.export(task, from: night.log, version: "1"))
        #expect(try RerunReport(RecordedRun(bundle), with: template).verdict == .different)
    }

    @Test("A thousand steps take no time to speak of")
    func wide() throws {
        let fan: [StepTemplate] = (0..<1000).map { .step("s\($0)") } + [.step("all", after: Array(0..<1000))]
        var recorded = try Recorded(fan, slots: 1001)
        for step in fan { try recorded.succeed(step.name) }
        #expect(try rerun(recorded, Template(fan)).verdict == .alike)
    }
}
