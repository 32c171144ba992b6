import StepwellTestKit
import Synchronization
import Testing

@Suite("The test kit")
struct TestKitTests {
    // MARK: One handler

    @Test func aHandlerFindsWhatItIsGiven() async throws {
        let step = FakeStep(
            "load", input: ["a": 1], configuration: ["b": 2], dependencies: ["near": [3], "by_hand": nil],
            fetchable: ["far": "4"], attempt: 3, checkpoint: ["row": 5], deadline: Timestamp(milliseconds: 6))
        let result = await step.run(
            HandlerFunction("x") { context in
                #expect(context.stepName == "load" && context.isLastAttempt && context.isRetry)
                #expect(context.dependencies == ["near", "by_hand"] && context.deadline?.milliseconds == 6)
                #expect(try await context.dependencyResult("by_hand") == nil)
                #expect(try await context.dependencyResult("far") == "4")
                return .success([
                    try await context.input()["a"] ?? 0, context.configuration["b"] ?? 0,
                    try await context.dependencyResult("near") ?? 0, try await context.checkpoint() ?? 0,
                ])
            })
        #expect(result.value == [1, 2, [3], ["row": 5]] && result.failure == nil)
        #expect(step.told.fetched == ["far"])
    }

    @Test func whatAHandlerTellsIsKept() async throws {
        let step = FakeStep()
        let handler = HandlerFunction("x") { context in
            let seen = try await context.checkpoint()?["row"]?.int ?? 0
            try await context.saveCheckpoint(["row": .number("\(seen + 1)")])
            context.heartbeat(progress: ["done": 1])
            context.heartbeat()
            context.log.warning("slow")
            return .success(nil)
        }
        _ = await step.run(handler)
        _ = await step.run(handler)
        #expect(step.told.checkpoints == [["row": 1], ["row": 2]])
        #expect(step.told.heartbeats == [["done": 1], nil, ["done": 1], nil])
        #expect(step.told.log.map(\.text) == ["slow", "slow"] && step.told.log[0].level == .warning)
    }

    @Test func failuresAreAsTheEngineSeesThem() async {
        struct Crash: Error {}
        let crash = await FakeStep().run(HandlerFunction("x") { _ in throw Crash() }).failure
        #expect(crash?.errorType == "Crash" && crash?.retryable == true)
        let missing = await FakeStep().run(
            HandlerFunction("x") { .success(try await $0.dependencyResult("no") ?? nil) })
        #expect(missing.failure?.errorType == "missing_dependency" && missing.value == nil)
        let method = await FakeStep(method: "other").run(Named()).failure
        #expect(method?.errorType == "unknown_method")
    }

    @Test func aCancelledAttemptKnowsIt() async {
        let handler = HandlerFunction("x") { context in
            #expect(context.isCancelled)
            try context.checkCancellation()
            return .success(1)
        }
        #expect(await FakeStep(isCancelled: true).run(handler).failure?.errorType == "CancellationError")
    }

    private struct Named: StepHandler {
        static let name = "named"
        func call(_ context: StepContext) async throws -> StepResult { .success(.string(context.stepName)) }
    }

    // MARK: A whole template

    private func template(_ steps: String) throws -> Template {
        try Template(yaml: "name: t\nnamespace_name: n\nversion: 1\nsteps:\n" + steps)
    }

    @Test func waitsTakeNoTime() async throws {
        let template = try template(
            """
              - name: a
                handler: { callable: flaky }
                retry: { max_attempts: 4, backoff: exponential, initial_delay: 1800, max_delay: 3600 }
              - { name: b, handler: { callable: named }, dependencies: [a] }
            """)
        let seen = Mutex<[Int]>([])
        let flaky = HandlerFunction("flaky") { context in
            seen.withLock { $0.append(context.attempt) }
            let row = try await context.checkpoint()?.int ?? 0
            try await context.saveCheckpoint(.number("\(row + 1)"))
            context.heartbeat(progress: "half")
            context.log.info("attempt \(context.attempt)")
            if context.attempt < 3 { throw Failure(message: "busy") }
            return .success(.number("\(row)"))
        }
        let run = try await rehearse(template, functions: [flaky, HandlerFunction(Named())])
        #expect(run.state == .complete && seen.withLock { $0 } == [1, 2, 3])
        #expect(try run.result("a") == 2 && run.result("b") == "b")
        #expect(try run.result("a", as: Int.self) == 2)
        #expect(run["a"]?.attempts == 3 && run.waited > .seconds(1800))
        #expect(run.log.map(\.text) == ["attempt 1", "attempt 2", "attempt 3"] && run.log[0].step == "a")
        #expect(run.progress.count == 3)
    }

    @Test func aFailureBlocksWhatComesAfter() async throws {
        let template = try template(
            """
              - { name: a, handler: { callable: broken } }
              - { name: b, handler: { callable: named }, dependencies: [a] }
              - { name: c, handler: { callable: named } }
            """)
        let broken = HandlerFunction("broken") { _ in .failure(message: "no such customer", retryable: false) }
        let run = try await rehearse(template, functions: [broken, HandlerFunction(Named())])
        #expect(run.state == .blockedByFailures && run["a"]?.attempts == 1 && run["b"]?.state == .pending)
        #expect(try run.result("c") == "c")
        let error = #expect(throws: RehearsalError.self) { try run.result("b") }
        #expect(error?.message == "the step 'b' is pending: a failed: no such customer")
        #expect(throws: RehearsalError.self) { try run.result("d") }
    }

    @Test func givenResultsStandForCommandsAndSteps() async throws {
        let template = try template(
            """
              - { name: a, handler: { command: ["false"] } }
              - { name: b, handler: { callable: never } }
              - { name: c, handler: { callable: both }, dependencies: [a, b] }
            """)
        let both = HandlerFunction("both") { context in
            .success([try await context.dependencyResult("a") ?? 0, try await context.dependencyResult("b") ?? 0])
        }
        let run = try await rehearse(template, functions: [both], results: ["a": 1, "b": ["x": 2]])
        #expect(try run.result("c") == [1, ["x": 2]])

        for (results, code) in [
            (["b": 1], "rehearsal_handler"), (["a": 1], "rehearsal_handler"),
            (["a": 1, "b": 1, "z": 1], "rehearsal_step"),
        ] as [([String: JSON], String)] {
            let error = await #expect(throws: RehearsalError.self) {
                _ = try await rehearse(template, functions: [both], results: results)
            }
            #expect(error?.code == code && error?.cure != nil)
        }
    }

    @Test func schemasCountAsTheyDoInAnEngine() async throws {
        let template = try Template(
            yaml: """
                name: t
                namespace_name: n
                version: 1
                input_schema: { type: object, required: [day] }
                steps:
                  - { name: a, handler: { callable: named }, result_schema: { type: integer } }
                """)
        await #expect(throws: InputError.self) { _ = try await rehearse(template, handlers: Named()) }
        let run = try await rehearse(template, handlers: Named(), input: ["day": 1])
        #expect(run["a"]?.failure?.errorType == "invalid_result")
    }
}
