import StepwellHistory
import StepwellLog
import StepwellModel
import Testing

@Suite("Explanations")
struct ExplanationTests {
    private let unavailable = Failure(
        message: "the service answers 503", errorType: "unavailable", errorCode: "HTTP_503")

    private func texts(_ recorded: Recorded, atWork: Bool? = true) throws -> [String] {
        try #require(try Explanation.read(recorded.task, from: recorded.log, isEngineAtWork: atWork))
            .sentences.map(\.text)
    }

    private func commands(_ recorded: Recorded, atWork: Bool? = true) throws -> [String] {
        try #require(try Explanation.read(recorded.task, from: recorded.log, isEngineAtWork: atWork))
            .actions.map(\.command)
    }

    @Test("Of a task that there is not, none")
    func unknown() throws {
        let recorded = try Recorded([.step("a")])
        #expect(try Explanation.read(TaskID(high: 1, low: 1), from: recorded.log, isEngineAtWork: nil) == nil)
    }

    @Test("A step waits for one that waits for its next attempt, when and why")
    func retry() throws {
        var recorded = try Recorded([.step("extract"), .step("transform", after: [0]), .step("load", after: [1])])
        try recorded.pass(250)
        try recorded.fail("extract", unavailable)
        let reason =
            "waits for attempt 2 of 3, due 22:13:21.250, after attempt 1 failed after 250 ms: unavailable: "
            + "the service answers 503 [HTTP_503]"
        #expect(
            try texts(recorded) == [
                "report \(recorded.task.short) is waiting_for_retry: submitted at 22:13:20.000 by client ada; "
                    + "0 of 3 steps done, 1 attempt started",
                "extract \(reason)", "transform waits for extract, which \(reason)", "load waits for transform",
            ])
        #expect(try commands(recorded) == ["stepwell cancel \(recorded.task.short)"])
        let explanation = try #require(try Explanation.read(recorded.task, from: recorded.log, isEngineAtWork: true))
        // The failure and the decision to try again bear it out.
        let numbers = explanation.sentences[1].events
        let events = try numbers.compactMap { try recorded.log.event($0)?.event }
        guard case .attemptFailed = events.first, case .retryScheduled = events.last else {
            Issue.record("the events are \(events)")
            return
        }
        #expect(explanation.sentences[2].events == numbers)
    }

    @Test("Blocked: root failures with their attempts, what they hold up, and what an operator can do")
    func blocked() throws {
        var recorded = try Recorded([
            .step("a", retry: RetryPolicy(attemptsMax: 2, backoff: .none)), .step("b", after: [0]),
            .step("c", after: [1]), .step("d"),
        ])
        try recorded.succeed("d")
        try recorded.fail("a", unavailable)
        try recorded.pass(0)
        try recorded.fail("a", Failure(message: "no\nsecond line"))
        let told = try texts(recorded)
        #expect(told[1] == "a has failed for good (all attempts are used up): handler_error: no")
        #expect(told[2].hasPrefix("attempt 1 on python#1 at 22:13:20.000: failed after 0 ms: unavailable"))
        #expect(told[3].hasPrefix("attempt 2 on python#1"))
        #expect(told[4...] == ["it holds up b, c"])
        let task = recorded.task.short
        #expect(
            try commands(recorded) == [
                "stepwell logs \(task) a", "stepwell replay-step \(task) a --worker COMMAND",
                "stepwell retry \(task) --worker COMMAND", "stepwell resolve \(task) a --result JSON",
                "stepwell cancel \(task)",
            ])
    }

    @Test("Enqueued: nobody offers the handler, all places are taken, no engine is at work")
    func enqueued() throws {
        var recorded = try Recorded(
            [.step("a"), StepTemplate(name: "b", handler: .callable("other")), .step("c")], slots: 1)
        #expect(try texts(recorded)[2] == "b is enqueued, but no worker offers the handler 'other'")
        #expect(try texts(recorded)[3] == "c is enqueued, but all places of python#1 are taken")
        #expect(try texts(recorded, atWork: false)[2] == "b is enqueued, but no engine is at work")
        let last = "no engine is at work on this store: nothing goes on until one is started"
        #expect(try texts(recorded, atWork: false).last == last)
        #expect(try commands(recorded, atWork: false).first?.hasPrefix("stepwell resume") == true)
        try recorded.stop()
        #expect(try texts(recorded, atWork: nil).last == last)
    }

    @Test("Enqueued: the engine works on another task alone")
    func focus() throws {
        var recorded = try Recorded([.step("a")])
        let first = recorded.task
        try recorded.submitAnother()
        try recorded.start(focus: first)
        #expect(try texts(recorded).last == "a is enqueued, but the engine works on task \(first.short) alone")
    }

    @Test("A task that ended: what took several attempts, was lost, came late or was done by hand")
    func complete() throws {
        var recorded = try Recorded([.step("a"), .step("b"), .step("c", after: [0])])
        try recorded.lose(1)
        try recorded.join(2)
        try recorded.succeed("a")
        try recorded.fail("b", Failure(message: "no", retryable: false))
        try recorded.succeedAgain("a")
        try recorded.resolve("b", nil, reason: "not needed")
        try recorded.pass(5000)
        try recorded.succeed("c")
        let told = try texts(recorded)
        #expect(told[0].contains(" is complete: "))
        #expect(told[0].hasSuffix(", ended at 22:13:25.000 after 5.0 s; 3 of 3 steps done, 5 attempts started"))
        #expect(
            told.contains {
                $0.hasPrefix("a, attempt 1 on worker 1") && $0.hasSuffix("was lost after 0 ms: its worker died")
            })
        #expect(
            told.contains {
                $0.hasPrefix("a, attempt 1 on python#1") && $0.hasSuffix("succeeded after 0 ms with 2 bytes")
            })
        #expect(
            told.contains(
                "a late result of a, attempt 1, was rejected at 22:13:20.000: the attempt had a result already"))
        #expect(told.last == "operator ada resolved b by hand without a result at 22:13:20.000: not needed")
        #expect(try commands(recorded) == [])
    }

    @Test("A cancelled task: who, when and why")
    func cancelled() throws {
        var recorded = try Recorded([.step("a")])
        try recorded.cancel("superseded")
        #expect(try texts(recorded).last == "operator ada cancelled the task at 22:13:20.000: superseded")
    }

    @Test("A step's whole story, in the order in which it happened")
    func step() throws {
        var recorded = try Recorded([.step("a"), .step("it's b", after: [0], retry: RetryPolicy(attemptsMax: 1))])
        try recorded.pass(1000)
        try recorded.succeed("a")
        try recorded.checkpoint("it's b", "1")
        try recorded.fail("it's b", unavailable)
        try recorded.retry(reason: "it is back")
        try recorded.succeed("it's b", "[1]")
        let explanation = try #require(
            try Explanation.read(recorded.task, step: 1, from: recorded.log, isEngineAtWork: true))
        let told = explanation.sentences.map(\.text)
        #expect(told[0] == "it's b is complete since 22:13:21.000, at attempt 1 of 1")
        #expect(told[1] == "its handler is the callable h")
        #expect(told[2] == "it comes after a; all were complete at 22:13:21.000")
        #expect(told[3].contains("saved 1 checkpoint: failed after 0 ms"))
        #expect(told[4] == "operator ada retried it's b at 22:13:21.000: it is back")
        #expect(told[5].hasSuffix("succeeded after 0 ms with 3 bytes"))
        #expect(told.count == 6)
        #expect(explanation.actions[0].command == "stepwell logs \(recorded.task.short) 'it'\\''s b'")
    }

    @Test("As JSON: sentences with their events, reasons by step, and commands")
    func json() throws {
        var recorded = try Recorded([.step("a"), .step("b", after: [0])])
        try recorded.fail("a", unavailable)
        let json = try #require(try Explanation.read(recorded.task, from: recorded.log, isEngineAtWork: true)).json
        #expect(json.members?.map(\.name) == ["task_id", "state", "sentences", "waits", "actions"])
        #expect(json["waits"]?["a"]?["reason"]?.string == "retry")
        #expect(json["waits"]?["a"]?["due_at"]?.string == "2023-11-14T22:13:21.000Z")
        #expect(json["waits"]?["b"]?["steps"]?.array == ["a"])
        #expect(json["sentences"]?[1]?["step"]?.string == "a")
        #expect(json["sentences"]?[1]?["events"]?.array?.isEmpty == false)
    }

    @Test("Many steps are counted, not listed")
    func many() throws {
        let recorded = try Recorded((0..<100).map { .step("s\($0)") })
        let told = try texts(recorded)
        #expect(told.count == 22)
        #expect(told.last == "80 more steps wait")
    }
}
