import StepwellHistory
import StepwellLog
import StepwellModel
import Testing

@Suite("Explanations")
struct ExplanationTests {
    private let unavailable = Failure(
        message: "the service answers 503", errorType: "unavailable", errorCode: "HTTP_503")

    private func explain(
        _ recorded: Recorded, _ activity: StoreActivity = .atWork, step: StepIndex? = nil
    ) throws -> Explanation {
        try #require(try Explanation.read(recorded.task, step: step, from: recorded.log, activity: activity))
    }

    private func texts(_ recorded: Recorded, _ activity: StoreActivity = .atWork) throws -> [String] {
        try explain(recorded, activity).sentences.map(\.text)
    }

    private func commands(_ recorded: Recorded, _ activity: StoreActivity = .atWork) throws -> [String] {
        try explain(recorded, activity).actions.map(\.command)
    }

    @Test("Of a task that there is not, none")
    func unknown() throws {
        let recorded = try Recorded([.step("a")])
        #expect(try Explanation.read(TaskID(high: 1, low: 1), from: recorded.log, activity: .unknown) == nil)
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
        let explanation = try explain(recorded)
        // The failure and the decision to try again bear it out.
        let numbers = explanation.sentences[1].events
        let events = try numbers.compactMap { try recorded.log.event($0)?.event }
        guard case .attemptFailed = events.first, case .retryScheduled = events.last else {
            Issue.record("the events are \(events)")
            return
        }
        #expect(explanation.sentences[2].events == numbers)
    }

    @Test("Paused: by whom, since when, why, and how it goes on")
    func paused() throws {
        var recorded = try Recorded([.step("a"), .step("b", after: [0])])
        try recorded.pass(1500)
        try recorded.pause("the move")
        try recorded.pass(1500)
        try recorded.succeed("a")
        let short = recorded.task.short
        for activity in [StoreActivity.atWork, .idle] {
            let explanation = try explain(recorded, activity)
            #expect(
                explanation.sentences.prefix(3).map(\.text) == [
                    "report \(short) is paused: submitted at 22:13:20.000 by client ada; 1 of 2 steps done, 1 attempt started",
                    "paused by operator ada since 22:13:21.500: the move; resume with 'stepwell unpause \(short)'",
                    "b is enqueued, but the task is paused",
                ])
            #expect(explanation.actions.map(\.command) == ["stepwell unpause \(short)", "stepwell cancel \(short)"])
        }
        #expect(try explain(recorded, step: 1).sentences[1].text.hasPrefix("paused by operator ada"))
        let report = try #require(try recorded.report())
        #expect(report.pause?.reason == "the move")
        #expect(report.json.description.contains(#""paused":"#))
        try recorded.resume(nil)
        #expect(try texts(recorded).count == 2)
        try recorded.succeed("b")
        #expect(try texts(recorded).suffix(2).first == "operator ada paused the task at 22:13:21.500: the move")
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
        #expect(told[2].hasPrefix("attempt 1 on python#1 (worker 1) at 22:13:20.000: failed after 0 ms: unavailable"))
        #expect(told[3].hasPrefix("attempt 2 on python#1"))
        #expect(told[4...] == ["it holds up b, c"])
        let task = recorded.task.short
        #expect(
            try commands(recorded) == [
                "stepwell replay-step \(task) a --worker COMMAND", "stepwell retry \(task) --worker COMMAND",
                "stepwell fork \(task) --from a --set-input NAME=JSON --worker COMMAND",
                "stepwell resolve \(task) a --result JSON", "stepwell cancel \(task)",
            ])
        #expect(
            try explain(recorded, step: 0).actions.map(\.command).contains { $0.hasSuffix("--step a --worker COMMAND") }
        )
        // A server has workers of its own.
        #expect(
            try commands(recorded, .served) == [
                "stepwell replay-step \(task) a --worker COMMAND", "stepwell retry \(task)",
                "stepwell fork \(task) --from a --set-input NAME=JSON", "stepwell resolve \(task) a --result JSON",
                "stepwell cancel \(task)",
            ])
        #expect(
            try explain(recorded, .served).actions.map(\.purpose).contains("go on without it, with this result"))
    }

    @Test("A retry that ended as the attempts before it is told of, and then a fork comes first")
    func retryInVain() throws {
        let once = RetryPolicy(attemptsMax: 1)
        var recorded = try Recorded([.step("rates"), .step("orders"), .step("convert", after: [0, 1], retry: once)])
        try recorded.succeed("rates", #"{"EUR": 1}"#)
        try recorded.fail("orders", unavailable)
        try recorded.pass(1000)
        try recorded.succeed("orders", "[]")
        let missing = Failure(message: "KeyError: 'GBP'")
        try recorded.fail("convert", missing)
        let task = recorded.task.short
        let fork = "stepwell fork \(task) --from STEP --set-input NAME=JSON --worker COMMAND"
        let retry = "stepwell retry \(task) --worker COMMAND"
        #expect(try commands(recorded)[1...2] == [retry, fork])
        try recorded.retry(reason: "was it down?")
        try recorded.fail("convert", missing)
        let explanation = try explain(recorded)
        #expect(explanation.actions[1...2].map(\.command) == [fork, retry])
        #expect(explanation.actions[1].purpose.hasSuffix("must see the change: rates, orders, convert"))
        let told = explanation.sentences
        // The failure, the attempt, the retry, the attempt, and what came of it; then the step that failed once.
        #expect(told[3].text == "operator ada retried convert at 22:13:21.000: was it down?")
        #expect(told[5].text == "the retry ended as the attempts before it: another one alone will not help")
        #expect(told[5].events.first == told[3].events.first)
        #expect(
            told[6].text.hasPrefix("orders, attempt 1 on python#1 (worker 1)")
                && told[7].text.hasPrefix("orders, attempt 2"))
        #expect(told.count == 8)
        // Another failure is no such thing.
        try recorded.retry()
        try recorded.fail("convert", unavailable)
        #expect(try !texts(recorded).contains { $0.hasPrefix("the retry ended") })
        #expect(try commands(recorded)[1] == retry)
    }

    @Test("What a step was given, and what came of it, in short")
    func values() throws {
        var recorded = try Recorded(
            Template([.step("a"), .step("b"), .step("c", after: [1, 0])]), input: JSONText("{\"n\":\n 1}"))
        try recorded.succeed("a", "[\(String(repeating: "1,", count: 200))1]")
        try recorded.succeed("b", #""zwei""#)
        try recorded.succeed("c", "3")
        let told = try explain(recorded, step: 2).sentences
        #expect(
            told[3...5].map(\.text).map { $0.prefix(16) } == [
                "input: {\"n\":  1}", "result of b: \"zw", "result of a: [1,",
            ])
        #expect(told[5].text.count == 133 && told[5].text.hasSuffix("…"))
        #expect(told.last?.text == "its result: 3")
        let types = try told[3...5].flatMap(\.events).map { try recorded.log.event($0)?.event.type }
        #expect(types == [.taskSubmitted, .attemptSucceeded, .attemptSucceeded])
        let long = try explain(recorded, step: 0)
        #expect(long.actions.last?.command == "stepwell show \(recorded.task.short) -o json")
        #expect(try explain(recorded, step: 2).actions.map(\.command).allSatisfy { !$0.contains("show") })
    }

    @Test("A task that failed is to be compared with the last one of its name that completed before it")
    func lastComplete() throws {
        let template = Template([.step("a", retry: RetryPolicy(attemptsMax: 1))])
        var recorded = try Recorded(template)
        let first = recorded.task
        try recorded.succeed("a")
        try recorded.submitAnother()
        let second = recorded.task
        try recorded.fail("a", unavailable)
        let diff = "stepwell diff \(first.short) \(second.short)"
        #expect(try commands(recorded).contains(diff))
        #expect(try explain(recorded, step: 0).actions.map(\.command).contains(diff))
        try recorded.submitAnother()
        try recorded.succeed("a")
        // The one that came after is not it.
        let again = try #require(try Explanation.read(second, from: recorded.log, activity: .idle))
        #expect(again.actions.map(\.command).filter { $0.contains("diff") } == [diff])
        #expect(try !commands(recorded).contains { $0.contains("diff") })
    }

    @Test("In a store of imports it is said where that can be done which changes the task")
    func imported() throws {
        var recorded = try Recorded([.step("a"), .step("b", retry: RetryPolicy(attemptsMax: 1))])
        #expect(
            try texts(recorded, .imported).last
                == "so it was when it was exported; it goes on in the store that it is from")
        try recorded.fail("b", unavailable)
        try recorded.succeed("a")
        for action in try explain(recorded, .imported).actions {
            let isLook = action.command.contains("replay-step")
            #expect(action.purpose.hasPrefix("in the store that it is from: ") != isLook, "\(action)")
        }
        #expect(try explain(recorded, .idle).actions.allSatisfy { !$0.purpose.contains("store that") })
    }

    @Test("Enqueued: nobody offers the handler, all places are taken, no engine is at work")
    func enqueued() throws {
        var recorded = try Recorded(
            [.step("a"), StepTemplate(name: "b", handler: .callable("other")), .step("c")], slots: 1)
        #expect(try texts(recorded)[2] == "b is enqueued, but no worker offers the handler 'other'")
        #expect(try texts(recorded)[3] == "c is enqueued, but all places of python#1 are taken")
        #expect(try texts(recorded, .idle)[2] == "b is enqueued, but no engine is at work")
        let last = "no engine is at work on this store: nothing goes on until one is started"
        #expect(try texts(recorded, .idle).last == last)
        #expect(try commands(recorded, .idle).first?.hasPrefix("stepwell resume") == true)
        try recorded.stop()
        #expect(try texts(recorded, .unknown).last == last)
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
                $0.hasPrefix("a, attempt 1, again, on python#1 (worker 2)")
                    && $0.hasSuffix("succeeded after 0 ms with 2 bytes")
            })
        #expect(
            told.contains(
                "a late result of a, attempt 1, was rejected at 22:13:20.000: the attempt had a result already"))
        #expect(told.last == "operator ada resolved b by hand without a result at 22:13:20.000: not needed")
        #expect(try commands(recorded) == [])
    }

    @Test("A step that ran out of time each time needs longer, and no retry")
    func timeouts() throws {
        let policy = RetryPolicy(attemptsMax: 2, backoff: .none)
        var recorded = try Recorded([.step("a", retry: policy, timeout: .seconds(2)), .step("b", after: [0])])
        try recorded.pass(2000)
        try recorded.pass(1)
        try recorded.pass(2000)
        #expect(try texts(recorded).contains("it ran out of its 2.0 s each time: a retry alone has the same limit"))
        let offered = try commands(recorded)
        let longer = "stepwell fork \(recorded.task.short) --from a --template NEW.yaml --worker COMMAND"
        let place = try #require(offered.firstIndex(of: longer))
        let retry = try #require(offered.firstIndex { $0.hasPrefix("stepwell retry") })
        #expect(place < retry)
        let told = try explain(recorded, step: 0).sentences.map(\.text)
        #expect(told[1] == "its handler is the callable h, with up to 2 attempts of at most 2.0 s")
        var mixed = try Recorded([.step("a", retry: policy, timeout: .seconds(2))])
        try mixed.fail("a", unavailable)
        try mixed.pass(1)
        try mixed.pass(2000)
        #expect(!(try texts(mixed).contains { $0.contains("each time") }))
        #expect(!(try commands(mixed).contains { $0.contains("--template") }))
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
        let explanation = try explain(recorded, step: 1)
        let told = explanation.sentences.map(\.text)
        #expect(told[0] == "it's b is complete since 22:13:21.000, at attempt 1 of 1")
        #expect(told[1] == "its handler is the callable h, with one attempt without a timeout")
        #expect(told[2] == "it comes after a; all were complete at 22:13:21.000")
        #expect(told[3...4] == ["input: {}", "result of a: {}"])
        #expect(told[5].contains("saved 1 checkpoint: failed after 0 ms"))
        #expect(told[6] == "operator ada retried it's b at 22:13:21.000: it is back")
        #expect(told[7].hasSuffix("succeeded after 0 ms with 3 bytes"))
        #expect(told[8...] == ["its result: [1]"])
        let word = "\(recorded.task.short) 'it'\\''s b'"
        #expect(explanation.actions.map(\.command) == ["stepwell replay-step \(word) --worker COMMAND"])
        try recorded.write("it's b", "zeile")
        #expect(try explain(recorded, step: 1).actions[0].command == "stepwell logs \(word)")
        #expect(try explain(recorded, step: 0).actions[0].command.hasPrefix("stepwell replay-step"))
    }

    @Test("As JSON: sentences with their events, reasons by step, and commands")
    func json() throws {
        var recorded = try Recorded([.step("a"), .step("b", after: [0])])
        try recorded.fail("a", unavailable)
        let json = try explain(recorded).json
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
