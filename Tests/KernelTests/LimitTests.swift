import StepwellKernel
import StepwellModel
import Testing

@Suite("Limits")
struct LimitTests {
    private let tests = LimitTarget(.namespace, "tests")
    private let handler = LimitTarget(.handler, "h")

    private func story(slots: Int = 100) -> Story { Story(steps("a"), workers: [.offering("h", "g", slots: slots)]) }

    // MARK: At once

    @Test("No more of a namespace run at once; the end of one lets the next start")
    func concurrency() throws {
        var story = story()
        #expect(try story.limit(tests, to: 2) == ["limit.set namespace 'tests'"])
        for label in ["1", "2", "3", "4"] { _ = try story.submit(label) }
        #expect(story.driver.state.runningAttemptCount == 2)
        #expect(story.driver.state.wait(of: story["3"], 0) == .limit(LimitSetting(tests, concurrencyMax: 2), due: nil))
        #expect(try story.fail("a", of: "2", retryable: false).last == "3: attempt.started a/1 on 1")
        #expect(try story.succeed("a", of: "1").last == "4: attempt.started a/1 on 1")
        #expect(story.driver.state.runningAttemptCount == 2)
    }

    @Test("What lies behind a limit holds nobody else up")
    func others() throws {
        var story = story(slots: 3)
        _ = try story.limit(handler, to: 1)
        for label in ["1", "2", "3"] { _ = try story.submit(label, priority: 100) }
        #expect(
            try story.submit("g", steps: steps("b", handler: "g"), priority: -100).last
                == "g: attempt.started b/1 on 1")
        #expect(
            try story.submit("other", steps: steps("b", handler: "g"), namespace: "others").last
                == "other: attempt.started b/1 on 1")
        #expect(story.driver.state.limit(of: handler, at: story.driver.now)?.waiting == 2)
    }

    @Test("An attempt that was given up counts until its worker has ended it")
    func givenUp() throws {
        var story = Story(steps("a", timeout: .seconds(1)), workers: [.offering("h", slots: 9)])
        _ = try story.limit(handler, to: 1)
        _ = try story.submit("1")
        _ = try story.submit("2")
        _ = try story.pass(1000)
        _ = try story.cancel("1")
        #expect(story.driver.state.limit(of: handler, at: story.driver.now)?.running == 1)
        #expect(try story.stop("a", of: "1").last == "2: attempt.started a/1 on 1")
    }

    @Test("What ran when the limit came counts, and goes on")
    func later() throws {
        var story = story()
        for label in ["1", "2", "3"] { _ = try story.submit(label) }
        _ = try story.limit(handler, to: 2)
        _ = try story.submit("4")
        #expect(try story.succeed("a", of: "1").last == "1: task.completed")
        #expect(try story.succeed("a", of: "2").last == "4: attempt.started a/1 on 1")
    }

    @Test("Zero lets nothing start; without the limit all goes on at once")
    func closed() throws {
        var story = story()
        _ = try story.limit(tests, to: 0)
        for label in ["1", "2"] { _ = try story.submit(label) }
        #expect(story.driver.state.runningAttemptCount == 0)
        #expect(
            try story.unlimit(tests) == [
                "limit.removed namespace 'tests'", "1: attempt.started a/1 on 1", "2: attempt.started a/1 on 1",
            ])
        #expect(throws: Rejection.unknownLimit(tests)) { try story.unlimit(tests) }
    }

    @Test("A worker that dies frees what it held, also what was given up")
    func death() throws {
        var story = Story(steps("a"), workers: [.offering("h", slots: 2), .offering("h", id: 2, slots: 1)])
        _ = try story.limit(handler, to: 2)
        for label in ["1", "2", "3"] { _ = try story.submit(label) }
        _ = try story.cancel("1")
        #expect(story.driver.state.limit(of: handler, at: story.driver.now)?.running == 2)
        _ = story.lose(1)
        let use = try #require(story.driver.state.limit(of: handler, at: story.driver.now))
        #expect(use.running == story.driver.state.runningAttemptCount)
    }

    // MARK: In a time

    @Test("A rate lets the burst start at once, and then one after the other, woken by a timer")
    func rate() throws {
        var story = story()
        _ = try story.limit(handler, rate: "4/s", burst: 2)
        for label in ["1", "2", "3", "4"] { _ = try story.submit(label) }
        #expect(story.driver.state.runningAttemptCount == 2)
        let setting = LimitSetting(handler, rate: StartRate("4/s", burst: 2))
        let due = story.driver.now.advanced(by: Milliseconds(250))
        #expect(story.driver.state.wait(of: story["3"], 0) == .limit(setting, due: due))
        #expect(try story.pass(249) == [])
        #expect(try story.pass(1) == ["limit.due #3", "3: attempt.started a/1 on 1"])
        #expect(try story.pass(250) == ["limit.due #3", "4: attempt.started a/1 on 1"])
        var state = story.driver.state
        #expect(state.nextDue() == nil)
    }

    @Test("Nothing wakes for a rate while no worker is free, or the other limit holds")
    func noVainWaking() throws {
        var story = story(slots: 1)
        _ = try story.limit(handler, rate: "1/s")
        _ = try story.submit("1")
        _ = try story.submit("2")
        var state = story.driver.state
        #expect(state.nextDue() == nil)
        #expect(try story.pass(5000) == [])
        #expect(try story.succeed("a", of: "1").last == "2: attempt.started a/1 on 1")
        _ = try story.limit(tests, to: 0)
        _ = try story.submit("3")
        _ = try story.succeed("a", of: "2")
        state = story.driver.state
        #expect(state.nextDue() == nil)
        #expect(story.driver.state.wait(of: story["3"], 0) == .limit(LimitSetting(tests, concurrencyMax: 0), due: nil))
    }

    @Test("Of two rates the slower one is waited for")
    func slower() throws {
        var story = story()
        _ = try story.limit(handler, rate: "1/s")
        _ = try story.limit(tests, rate: "1/min")
        _ = try story.submit("1")
        _ = try story.submit("2")
        #expect(try story.pass(59_999) == [])
        #expect(try story.pass(1) == ["limit.due #4", "2: attempt.started a/1 on 1"])
    }

    @Test("A restart brings no new tokens")
    func restart() throws {
        var story = story()
        _ = try story.limit(handler, rate: "1/min")
        _ = try story.submit("1")
        _ = try story.submit("2")
        _ = try story.succeed("a", of: "1")
        _ = try story.pass(30_000)
        _ = story.restart()
        #expect(story.join(.offering("h", slots: 5)) == ["worker.joined 1"])
        #expect(try story.pass(30_000) == ["limit.due #3", "2: attempt.started a/1 on 1"])
    }

    @Test("A limit that is set anew keeps what was used")
    func changed() throws {
        var story = story()
        _ = try story.limit(handler, rate: "1/min")
        _ = try story.submit("1")
        _ = try story.submit("2")
        #expect(try story.limit(handler, rate: "60/min") == ["limit.set handler 'h'"])
        #expect(try story.pass(1000).last == "2: attempt.started a/1 on 1")
        #expect(story.driver.state.limits(at: story.driver.now).count == 1)
    }

    // MARK: Order

    @Test("Those who share a handler's limit take turns by that handler, whatever else they have to do")
    func turns() throws {
        var story = Story(steps("a"), workers: [.offering("h", "g", slots: 2)])
        _ = try story.limit(handler, to: 1)
        _ = try story.submit("first")
        // The namespace 'busy' has started something just before each turn of the handler; 'idle' has not.
        for place in 0..<3 {
            _ = try story.submit("b\(place)", namespace: "busy")
            _ = try story.submit("i\(place)", namespace: "idle")
            _ = try story.submit("x\(place)", steps: steps("x", handler: "g"), namespace: "busy")
        }
        var (order, running): ([String], String) = ([], "first")
        for place in 0..<6 {
            if place < 3 { _ = try story.succeed("x", of: "x\(place)") }
            running = String(try #require(try story.succeed("a", of: running).last).prefix(2))
            order.append(running)
        }
        #expect(order == ["b0", "i0", "b1", "i1", "b2", "i2"] || order == ["i0", "b0", "i1", "b1", "i2", "b2"])
    }

    @Test("Within a namespace priority and age count, as without a limit")
    func priorities() throws {
        var story = story()
        _ = try story.limit(tests, to: 1)
        _ = try story.submit("1")
        _ = try story.submit("2")
        _ = try story.submit("3", priority: 7)
        #expect(try story.succeed("a", of: "1").last == "3: attempt.started a/1 on 1")
        #expect(try story.succeed("a", of: "3").last == "2: attempt.started a/1 on 1")
    }

    @Test("Commands count for their namespace, and for no handler")
    func commands() throws {
        var story = Story(steps("a"), workers: [.offering(kind: .command, slots: 9)])
        let command = StepTemplate(name: "c", handler: .command(["true"]))
        _ = try story.limit(LimitTarget(.namespace, "tests"), to: 1)
        _ = try story.submit("1", steps: [command])
        #expect(try story.submit("2", steps: [command]).last == "2: step.enqueued c")
    }

    // MARK: What may be set

    @Test("A limit that says nothing, and one too many, are refused")
    func refused() throws {
        var story = story()
        #expect(throws: Rejection.self) { try story.limit(handler) }
        #expect(throws: Rejection.self) { try story.limit(LimitTarget(.handler, ""), to: 1) }
        let many = (0..<LimitSetting.countMax).map {
            Request(
                .setLimit(LimitSetting(LimitTarget(.handler, "h\($0)"), concurrencyMax: 1), reason: nil), by: .operator)
        }
        _ = try story.turn(many)
        #expect(throws: Rejection.tooManyLimits) { try story.limit(tests, to: 1) }
        #expect(try story.limit(LimitTarget(.handler, "h7"), to: 2) == ["limit.set handler 'h7'"])
    }

    @Test("A recorded wake-up must not be too early, nor one for a limit that is gone")
    func rehearsed() throws {
        var story = story()
        _ = try story.limit(handler, rate: "1/s")
        _ = try story.submit("1")
        _ = try story.submit("2")
        _ = try story.pass(1000)
        var records = story.driver.log
        let place = try #require(records.firstIndex { if case .limitDue = $0.event { true } else { false } })
        #expect(check(records, story.driver) == nil)
        records[place].time = records[place - 1].time
        #expect(check(records, story.driver)?.number == records[place].number)
        records = story.driver.log
        records[place].event = .limitDue(SequenceNumber(1))
        #expect(check(records, story.driver)?.number == records[place].number)
    }

    private func check(_ records: [EventRecord], _ driver: Driver) -> DecisionError? {
        var check = DecisionCheck()
        do {
            for record in records {
                if case .taskSubmitted(let submission) = record.event {
                    check.adopt(Plan(driver.templates[submission.template]!, digest: submission.template))
                }
                try check.take(record)
                // Each fact was a commit of its own here.
                if records.last?.number == record.number || !(records[Int(record.number.rawValue)].isDecision) {
                    _ = try check.endCommit()
                }
            }
            return nil
        } catch { return error }
    }
}
