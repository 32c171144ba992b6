import StepwellKernel
import StepwellModel
import Testing

@Suite("What a step waits for")
struct WaitTests {
    private func wait(_ story: Story, _ step: StepIndex, of label: String = "") -> WaitReason? {
        story.driver.state.wait(of: story[label], step)
    }

    @Test("Its dependencies that are not complete, in the template's order; then nothing any more")
    func dependencies() throws {
        var story = Story(steps("a, b, c < b a"))
        _ = try story.submit()
        #expect(wait(story, 2) == .dependencies([1, 0]))
        _ = try story.succeed("a")
        #expect(wait(story, 0) == nil)
        #expect(wait(story, 2) == .dependencies([1]))
    }

    @Test("Its attempt, to which its deadline belongs")
    func attempt() throws {
        var template = steps("a")
        template[0].timeout = .seconds(5)
        var story = Story(template)
        _ = try story.submit()
        guard case .attempt(let attempt, let worker, let deadline) = wait(story, 0) else {
            Issue.record("it does not run")
            return
        }
        #expect((attempt.step, attempt.attempt, attempt.worker) == (0, 1, WorkerID(1)))
        #expect(worker?.name == "worker#1")
        #expect(deadline == story.driver.now.advanced(by: .seconds(5)))
    }

    @Test("Its retry, and then a person")
    func retry() throws {
        var template = steps("a, b < a")
        template[0].retry = RetryPolicy(attemptsMax: 2, initialDelay: .seconds(3))
        var story = Story(template)
        _ = try story.submit()
        _ = try story.fail("a")
        #expect(wait(story, 0) == .retry(due: story.driver.now.advanced(by: .seconds(3))))
        _ = try story.pass(3000)
        _ = try story.fail("a")
        #expect(wait(story, 0) == .person)
        #expect(wait(story, 1) == .dependencies([0]))
    }

    @Test("In vain, behind a step that has failed for good, near or far; of several the first")
    func failure() throws {
        var story = Story(steps("a, b, c < b, d < c a, e, f < e"))
        _ = try story.submit()
        _ = try story.fail("b", retryable: false)
        func waits() throws -> [WaitReason?] { try #require(story.driver.state[story[""]]).waits }
        #expect(try waits()[1...3] == [.person, .failure(of: 1), .failure(of: 1)])
        #expect(try waits()[5] == .dependencies([4]))
        _ = try story.fail("a", retryable: false)
        #expect(try waits()[2...3] == [.failure(of: 1), .failure(of: 0)])
        _ = try story.retry("a", "b")
        #expect(try waits()[2...3] == [.dependencies([1]), .dependencies([2, 0])])
    }

    @Test("An engine, after the last was stopped")
    func engine() throws {
        var story = Story(steps("a, b < a"), workers: [])
        _ = try story.submit()
        #expect(wait(story, 0) == .handler("h"))
        _ = story.stopEngine()
        #expect(wait(story, 0) == .engine)
        _ = story.restart()
        #expect(wait(story, 0) == .handler("h"))
    }

    @Test("A worker that offers its handler, or runs commands")
    func handler() throws {
        var template = steps("a, b")
        template[1].handler = .command(["true"])
        var story = Story(template, workers: [.offering("other", slots: 1)])
        _ = try story.submit()
        #expect(wait(story, 0) == .handler("h"))
        #expect(wait(story, 1) == .handler(nil))
    }

    @Test("A free place with the workers that serve it")
    func place() throws {
        let join = WorkerJoin.offering("h", slots: 1)
        var story = Story(steps("a, b"), workers: [join])
        _ = try story.submit()
        guard case .attempt = wait(story, 0) else {
            Issue.record("the first does not run")
            return
        }
        #expect(wait(story, 1) == .place([join]))
    }

    @Test("The end of the one task that the engine works on")
    func focus() throws {
        var story = Story(steps("a"))
        _ = try story.submit("mine")
        _ = try story.submit("other")
        let start = EngineStart(version: "1", processID: 3, host: "here", focus: story["mine"])
        _ = try story.turn([.init(.startEngine(start), by: .engine)])
        #expect(wait(story, 0, of: "other") == .focus(story["mine"]))
        #expect(wait(story, 0, of: "mine") == .handler("h"))
    }

    @Test("Within a turn, nothing but the scheduler")
    func turn() throws {
        var story = Story(steps("a"))
        _ = try story.submit()
        // All again, event by event, up to where the step is enqueued.
        var state = State()
        for (digest, template) in story.driver.templates { state.adopt(Plan(template, digest: digest)) }
        for record in story.driver.log {
            try state.apply(record)
            if case .stepEnqueued = record.event { break }
        }
        #expect(state.wait(of: story[""], 0) == .turn)
    }

    @Test("Of a task or a step that is not there, nothing")
    func unknown() throws {
        var story = Story(steps("a"))
        _ = try story.submit()
        #expect(wait(story, 1) == nil)
        #expect(wait(story, -1) == nil)
        _ = try story.succeed("a")
        #expect(wait(story, 0) == nil)
    }
}
