import Stepwell
import Testing

@Suite("A task runs", .timeLimit(.minutes(1)))
struct RunTests {
    @Test("A diamond runs from its top to its bottom, each step once")
    func diamond() async throws {
        try await withBench { bench in
            let order = Basket<String>()
            for name in ["top", "left", "right", "bottom"] {
                bench.engine.register(name) { context in
                    order.put(context.stepName)
                    let results = Basket<JSON>()
                    for dependency in context.dependencies {
                        results.put(try await context.dependencyResult(dependency) ?? .null)
                    }
                    return .success(["name": .string(name), "from": .array(results.content)])
                }
            }
            let report = try await bench.run(.diamond)
            #expect(report.state == .complete)
            #expect(order.content.first == "top" && order.content.last == "bottom")
            #expect(Set(order.content) == ["top", "left", "right", "bottom"] && order.content.count == 4)
            #expect(report["bottom"]?.result?.json["from"]?[0]?["name"] == "left")
            #expect(report["bottom"]?.result?.json["from"]?[1]?["from"]?[0]?["name"] == "top")
        }
    }

    struct Order: Codable, Equatable {
        var item: String
        var count: Int
    }

    struct Bill: Codable, Equatable {
        var orders: [Order]
        var total: Int
    }

    /// A handler as a type, with everything typed.
    struct Price: StepHandler {
        static let name = "price"

        struct Configuration: Decodable {
            var each: Int
        }

        func call(_ context: StepContext) async throws -> StepResult {
            let order = try await context.input(as: Order.self)
            let each = try context.configuration(as: Configuration.self).each
            return try .success(encoding: Bill(orders: [order], total: order.count * each))
        }
    }

    @Test("Input, configuration and results come and go as Codable values")
    func typed() async throws {
        try await withBench { bench in
            var price = StepTemplate.step("price")
            price.handler.configuration = try JSONText(#"{"each": 250}"#)
            let bills = Basket<Bill>()
            bench.engine.register(Price())
            bench.engine.register("check") { context in
                bills.put(try await context.dependencyResult("price", as: Bill.self))
                let item = try await context.input("item", as: String.self)
                let absent: Int? = try await context.input("absent")
                return .success([.string(item ?? ""), .bool(absent == nil)])
            }
            let report = try await bench.run(.of(price, .step("check", after: 0)), input: ["item": "pear", "count": 3])
            #expect(bills.content == [Bill(orders: [Order(item: "pear", count: 3)], total: 750)])
            #expect(try report["price"]?.result?.decoded(as: Bill.self) == bills.content[0])
            #expect(report["check"]?.result?.description == #"["pear",true]"#)
        }
    }

    @Test("A handler sees the results of all its ancestors, near and far, and of nobody else")
    func ancestors() async throws {
        try await withBench { bench in
            for name in ["a", "b", "aside"] { bench.engine.register(name) { _ in .success([.string(name)]) } }
            let refusals = Basket<Failure>()
            bench.engine.register("c") { context in
                do { _ = try await context.dependencyResult("aside") } catch let failure as Failure {
                    refusals.put(failure)
                }
                let near = try await context.dependencyResult("b")
                let far = try await context.dependencyResult("a")
                return .success([near ?? .null, far ?? .null])
            }
            let report = try await bench.run(
                .of(.step("a"), .step("b", after: 0), .step("c", after: 1), .step("aside")))
            #expect(report["c"]?.result?.description == #"[["b"],["a"]]"#)
            #expect(refusals.content.map(\.errorType) == ["missing_dependency"])
            #expect(refusals.content.map(\.retryable) == [false])
        }
    }

    @Test("Input and results are kept byte for byte")
    func verbatim() async throws {
        try await withBench { bench in
            let text = "{ \"b\" : 1.10,\"a\":[1e2, \"\\u00e9/\" ] }"
            let seen = Basket<JSON>()
            bench.engine.register("first") { _ in .success(try JSONText(text), metadata: nil) }
            bench.engine.register("second") { context in
                seen.put(try await context.dependencyResult("first") ?? .null)
                return .success()
            }
            let report = try await bench.run(.of(.step("first"), .step("second", after: 0)))
            #expect(report["first"]?.result?.description == text)
            #expect(report["second"]?.result?.description == "null")
            #expect(seen.content.first?["b"] == .number("1.10"))
        }
    }

    @Test("A context tells where it runs")
    func context() async throws {
        try await withBench { bench in
            let contexts = Basket<StepContext>()
            bench.engine.register("work") { context in
                contexts.put(context)
                if context.attempt == 1 { throw Failure(message: "not yet", retryAfter: .zero) }
                return .success()
            }
            let deadline = bench.clock.now().advanced(by: .seconds(9))
            let report = try await bench.run(.of(.step("work", timeout: .seconds(9))))
            let (first, second) = (contexts.content[0], contexts.content[1])
            #expect([first.attempt, second.attempt, first.maxAttempts] == [1, 2, 3])
            #expect(first.isRetry == false && second.isRetry && second.isLastAttempt == false)
            #expect(first.idempotencyKey == second.idempotencyKey && first.stepID == second.stepID)
            #expect(first.deadline == deadline && first.taskID == report.id)
            #expect(first.namespace == "tests" && first.taskName == "work" && first.taskVersion == "1")
        }
    }

    @Test("What a handler logs can be read, and its heartbeat is heard")
    func logAndHeartbeat() async throws {
        try await withBench { bench in
            bench.engine.register("work") { context in
                context.log.info("half of it")
                context.heartbeat(progress: ["done": 1])
                context.heartbeat()
                context.log.error("the rest")
                return .success()
            }
            let report = try await bench.run(.single)
            let lines = try bench.logLines(of: report.id)
            #expect(lines.map(\.text) == ["half of it", "the rest"])
            #expect(lines.map(\.level) == [.info, .error])
            #expect(bench.happenings.progress.map(\.?.description) == [#"{"done":1}"#, nil])
        }
    }

    @Test("Two hundred tasks at once all complete")
    func many() async throws {
        try await withBench { bench in
            let calls = Counter()
            for name in ["top", "left", "right", "bottom"] {
                bench.engine.register(name) { context in
                    calls.next()
                    return .success(try await context.input())
                }
            }
            let engine = bench.engine
            let reports = try await withThrowingTaskGroup(of: TaskReport.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        try await engine.submit(.diamond, input: ["number": .number(String(number))]).wait()
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(reports.allSatisfy { $0.state == .complete })
            #expect(Set(reports.compactMap { $0["bottom"]?.result?.json["number"]?.int }) == Set(0..<200))
            #expect(calls.value == 800)
        }
    }

    @Test("Whoever is cancelled while waiting for a task hears so, and the task goes on")
    func cancelledWait() async throws {
        try await withBench { bench in
            let task = try await bench.engine.submit(.single)
            let waiting = Task { try await task.wait() }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            bench.engine.register("work") { _ in .success() }
            #expect(try await task.wait().state == .complete)
        }
    }
}
