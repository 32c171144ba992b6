import StepwellKernel
import StepwellModel
import Testing

@Suite("Namespaces")
struct NamespaceTests {
    @Test("A worker serves the namespaces that it names, or all")
    func routing() throws {
        var story = Story(steps("a"), workers: [.offering("h", slots: 5, namespaces: ["sales", "tests"])])
        #expect(try story.submit("mine").last == "mine: attempt.started a/1 on 1")
        #expect(try story.submit("other", namespace: "stock").last == "other: step.enqueued a")
        #expect(story.driver.state.isServed(.callable("h"), in: "sales"))
        #expect(!story.driver.state.isServed(.callable("h"), in: "stock"))
        #expect(story.driver.state.wait(of: story["other"], 0) == .handler("h", in: "stock"))
        #expect(story.join(.offering("h", id: 2)) == ["worker.joined 2", "other: attempt.started a/1 on 2"])
    }

    @Test("An attempt tells the version of its handler, as its worker has")
    func versions() throws {
        var story = Story(steps("a"))
        _ = try story.submit()
        guard case .attemptStarted(let start) = story.driver.log.last?.event else {
            Issue.record("it does not run")
            return
        }
        #expect(start.handlerVersion == "1")
    }

    @Test("Namespaces take turns; within one the greater priority goes first, then the older")
    func turns() throws {
        var story = Story(steps("a"), workers: [.offering("h", slots: 1)])
        _ = try story.submit("a1", namespace: "a")
        _ = try story.submit("a2", priority: 100, namespace: "a")
        _ = try story.submit("a3", priority: 100, namespace: "a")
        _ = try story.submit("b1", namespace: "b")
        _ = try story.submit("c1", priority: -5, namespace: "c")
        _ = try story.submit("b2", namespace: "b")
        var (order, last) = (["a1"], "a1")
        for _ in 0..<5 {
            last = String(try #require(try story.succeed("a", of: last).last).prefix(2))
            order.append(last)
        }
        #expect(order == ["a1", "b1", "c1", "a2", "b2", "a3"])
    }

    @Test("Ten thousand tasks of one namespace do not keep another waiting")
    func starving() throws {
        var driver = Driver()
        let crowd = submissions(10_000, to: "crowd", priority: 100, driver)
        let few = submissions(1, to: "few", priority: -100, driver)
        _ = driver.turn([start(rules: EngineStart.presentRules)] + crowd + few)
        let answer = driver.turn([.init(.joinWorker(.offering("h", slots: 3)), by: .engine)])
        #expect(started(answer).map(\.namespace) == ["crowd", "few", "crowd"])
    }

    @Test("By the rules of earlier versions priority and age alone count")
    func earlierRules() throws {
        var driver = Driver()
        let requests = submissions(2, to: "crowd", priority: 1, driver) + submissions(1, to: "few", priority: 0, driver)
        _ = driver.turn([start(rules: 0)] + requests)
        let answer = driver.turn([.init(.joinWorker(.offering("h", slots: 3)), by: .engine)])
        #expect(started(answer).map(\.namespace) == ["crowd", "crowd", "few"])
        #expect(started(answer).allSatisfy { $0.version == nil })
    }

    private func start(rules: Int) -> Request {
        .init(.startEngine(EngineStart(version: "1", processID: 1, host: "here", rules: rules)), by: .engine)
    }

    private func submissions(_ count: Int, to namespace: String, priority: Int, _ driver: Driver) -> [Request] {
        var template = Template.of(steps("s"))
        template.namespace = namespace
        let digest = TemplateDigest(Array(namespace.utf8))
        return (0..<count).map { number in
            let id = TaskID(high: UInt64(namespace.utf8.count), low: UInt64(number))
            return driver.submit(id, template, digest: digest, priority: priority)
        }
    }

    /// The namespace and the handler's version of each attempt that was started.
    private func started(_ answer: Driver.Answer) -> [(namespace: String, version: String?)] {
        answer.records.compactMap { record in
            guard case .attemptStarted(let start) = record.event, let task = record.task else { return nil }
            return (task.high == 5 ? "crowd" : "few", start.handlerVersion)
        }
    }
}
