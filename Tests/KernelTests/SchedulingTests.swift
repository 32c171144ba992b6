import StepwellKernel
import StepwellModel
import Testing

/// The eight steps of the analytics pipeline.
let pipeline = steps(
    """
    extract_sales, extract_inventory, extract_customers, transform_sales < extract_sales, \
    transform_inventory < extract_inventory, transform_customers < extract_customers, \
    aggregate < transform_sales transform_inventory transform_customers, insights < aggregate
    """)

@Suite("What runs when")
struct SchedulingTests {
    @Test("Steps without dependencies start together, as soon as the task is submitted")
    func rootsStartTogether() throws {
        var story = Story(pipeline)
        let lines = try story.submit()
        #expect(
            lines == [
                "task.submitted", "step.enqueued extract_sales", "step.enqueued extract_inventory",
                "step.enqueued extract_customers", "attempt.started extract_sales/1 on 1",
                "attempt.started extract_inventory/1 on 1", "attempt.started extract_customers/1 on 1",
            ])
        #expect(
            story.effects == [
                "deliver extract_sales/1 to 1", "deliver extract_inventory/1 to 1", "deliver extract_customers/1 to 1",
            ])
        #expect(story.state() == .inProgress)
    }

    @Test("A transform starts when its own extract is done, whatever the others do")
    func transformsWaitForTheirOwn() throws {
        var story = Story(pipeline)
        _ = try story.submit()
        #expect(
            try story.succeed("extract_customers") == [
                "attempt.succeeded extract_customers/1", "step.completed extract_customers",
                "step.enqueued transform_customers", "attempt.started transform_customers/1 on 1",
            ])
        #expect(try story.succeed("extract_sales").last == "attempt.started transform_sales/1 on 1")
        #expect(story.state("extract_inventory") == .inProgress)
    }

    @Test("The aggregate starts only after all three transforms, and the insights only after the aggregate")
    func joinsWaitForAll() throws {
        var story = Story(pipeline)
        _ = try story.submit()
        for source in ["sales", "inventory", "customers"] { _ = try story.succeed("extract_\(source)") }
        #expect(
            try story.succeed("transform_sales") == [
                "attempt.succeeded transform_sales/1", "step.completed transform_sales",
            ])
        #expect(try story.succeed("transform_customers").last == "step.completed transform_customers")
        #expect(story.state("aggregate") == .pending)
        #expect(try story.succeed("transform_inventory").last == "attempt.started aggregate/1 on 1")
        #expect(story.state("insights") == .pending)
        #expect(try story.succeed("aggregate").last == "attempt.started insights/1 on 1")
        #expect(
            try story.succeed("insights") == [
                "attempt.succeeded insights/1", "step.completed insights", "task.completed",
            ])
        #expect(story.state() == .complete)
        #expect(story.effects == ["settled complete"])
        #expect(story.driver.state.openTaskCount == 0)
    }

    @Test("An attempt comes with the places of its dependencies' results, in the template's order")
    func deliveryNamesResults() throws {
        var story = Story(steps("a, b, c < b a"))
        _ = try story.submit()
        _ = try story.succeed("a")
        _ = try story.succeed("b")
        let results = story.delivery("c").dependencyResults
        let numbers = story.driver.log.filter { if case .attemptSucceeded = $0.event { true } else { false } }
        #expect(results == numbers.reversed().map(\.number))
        #expect(story.delivery("c").submission == story.driver.log.first { $0.task != nil }?.number)
    }

    @Test("A step that names a dependency twice waits for it once")
    func dependencyNamedTwice() throws {
        var story = Story(steps("a, b < a a"))
        _ = try story.submit()
        #expect(
            try story.succeed("a") == [
                "attempt.succeeded a/1", "step.completed a", "step.enqueued b", "attempt.started b/1 on 1",
            ])
    }

    @Test("A step waits in its queue until a worker has a free place")
    func slotsAreBounded() throws {
        var story = Story(steps("a, b, c"), workers: [.offering("h", slots: 2)])
        #expect(try story.submit().suffix(2) == ["attempt.started a/1 on 1", "attempt.started b/1 on 1"])
        #expect(story.state("c") == .enqueued)
        #expect(try story.succeed("b").last == "attempt.started c/1 on 1")
    }

    @Test("A step without a worker for its handler waits, and starts when one joins")
    func unservedStepsWait() throws {
        var story = Story(steps("a") + steps("b", handler: "other"))
        #expect(
            try story.submit() == [
                "task.submitted", "step.enqueued a", "step.enqueued b", "attempt.started a/1 on 1",
            ])
        #expect(!story.driver.state.isServed(.callable("other"), in: "tests"))
        #expect(
            story.join(.offering("other", "more", id: 2)) == ["worker.joined 2", "attempt.started b/1 on 2"])
        #expect(story.driver.state.isServed(.callable("other"), in: "tests"))
    }

    @Test("A command is run by the engine's own runner of commands, and by no other")
    func commandsHaveTheirLane() throws {
        var command = steps("a")
        command[0].handler = .command(["true"])
        var story = Story(command)
        #expect(try story.submit() == ["task.submitted", "step.enqueued a"])
        #expect(!story.driver.state.isServed(command[0].handler, in: "tests"))
        #expect(story.join(.offering(id: 2, kind: .command)) == ["worker.joined 2", "attempt.started a/1 on 2"])
    }

    @Test("Of the free workers the least busy gets the next attempt, and of equals the one that came first")
    func leastBusyWorkerFirst() throws {
        var story = Story(
            steps("a, b, c, d, e"), workers: [.offering("h", id: 1, slots: 3), .offering("h", id: 2, slots: 2)])
        #expect(
            try story.submit().suffix(5) == [
                "attempt.started a/1 on 1", "attempt.started b/1 on 2", "attempt.started c/1 on 1",
                "attempt.started d/1 on 2", "attempt.started e/1 on 1",
            ])
    }

    @Test("A busy handler does not keep others from theirs")
    func lanesAreIndependent() throws {
        var story = Story(
            steps("a, b") + steps("c", handler: "other"),
            workers: [.offering("h", id: 1), .offering("other", id: 2)])
        #expect(
            try story.submit().suffix(2) == ["attempt.started a/1 on 1", "attempt.started c/1 on 2"])
        #expect(story.state("b") == .enqueued)
    }

    @Test("The greater priority goes first, and of equals what was enqueued earlier")
    func priorities() throws {
        var story = Story(steps("a"), workers: [.offering("h")])
        _ = try story.submit("busy")
        for (label, priority) in [("low", -5), ("first", 7), ("second", 7), ("plain", 0)] {
            _ = try story.submit(label, priority: priority)
        }
        var order: [String] = []
        var running = "busy"
        for _ in 0..<4 {
            let started = try story.succeed("a", of: running).last!
            running = String(started.prefix { $0 != ":" })
            order.append(running)
        }
        #expect(order == ["first", "second", "plain", "low"])
    }

    @Test("Priority is kept between handlers that share a worker")
    func priorityAcrossLanes() throws {
        var story = Story(steps("a"), workers: [.offering("h", "other")])
        _ = try story.submit("busy")
        _ = try story.submit("early", steps: steps("a"))
        _ = try story.submit("urgent", steps: steps("b", handler: "other"), priority: 1)
        #expect(try story.succeed("a", of: "busy").last == "urgent: attempt.started b/1 on 1")
        #expect(try story.succeed("b", of: "urgent").last == "early: attempt.started a/1 on 1")
    }

    @Test("A checkpoint is handed to the step's next attempt")
    func checkpoints() throws {
        var story = Story(steps("a", retry: RetryPolicy(backoff: .none)))
        _ = try story.submit()
        #expect(story.delivery("a").checkpoint == .zero)
        #expect(try story.checkpoint("a") == ["attempt.checkpointed a/1"])
        let number = story.driver.log.last!.number
        _ = try story.fail("a")
        _ = try story.pass(0)
        #expect(story.delivery("a").attempt.attempt == 2)
        #expect(story.delivery("a").checkpoint == number)
        _ = try story.succeed("a")
        #expect(throws: Rejection.unknownLease(story.attempt("a").lease)) { try story.checkpoint("a") }
    }
}
