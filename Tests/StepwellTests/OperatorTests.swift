import Stepwell
import Testing

@Suite("Somebody steps in", .timeLimit(.minutes(1)))
struct OperatorTests {
    @Test("A cancelled task starts nothing more, and its running handler is told to end")
    func cancel() async throws {
        try await withBench { bench in
            let isCancelled = Counter()
            bench.engine.register("first") { context in
                do { try await Task.sleep(for: .seconds(3600)) } catch {
                    isCancelled.next()
                    throw error
                }
                return .success()
            }
            bench.engine.register("second") { _ in .success() }
            let task = try await bench.engine.submit(.of(.step("first"), .step("second", after: 0)))
            _ = try await bench.happenings.event { if case .attemptStarted = $0 { true } else { false } }
            try await task.cancel(reason: "wrong input")
            let report = try await task.wait()
            #expect(report.state == .cancelled && report.cancelReason == "wrong input")
            #expect(report.states == ["first": .cancelled, "second": .cancelled])
            _ = try await bench.happenings.event { if case .attemptStopped = $0 { true } else { false } }
            #expect(isCancelled.value == 1 && bench.happenings.starts(of: 1) == 0)
            let error = await #expect(throws: EngineError.self) { try await task.cancel() }
            #expect(error?.code == "task_closed")
        }
    }

    @Test("A retry takes a blocked task on, and nothing that is complete runs again")
    func retry() async throws {
        try await withBench { bench in
            let isMended = Counter()
            for name in ["top", "right", "bottom"] { bench.engine.register(name) { _ in .success() } }
            bench.engine.register("left") { _ in
                if isMended.value == 0 { throw Failure(message: "no space", retryable: false) }
                return .success()
            }
            let task = try await bench.engine.submit(.diamond)
            #expect(try await task.wait().state == .blockedByFailures)
            isMended.next()
            try await task.retry(reason: "made space")
            let report = try await task.wait()
            #expect(report.state == .complete)
            #expect(report.steps.map(\.starts) == [1, 2, 1, 1])
            #expect(report["left"]?.attempts == 1)
            let error = await #expect(throws: EngineError.self) { try await task.retry() }
            #expect(error?.code == "task_closed")
        }
    }

    @Test("A retry of one step leaves other failed steps as they are")
    func retryOne() async throws {
        try await withBench { bench in
            let isMended = Counter()
            for name in ["a", "b"] {
                bench.engine.register(name) { _ in
                    isMended.value == 0 ? .failure(message: "no", retryable: false) : .success()
                }
            }
            let task = try await bench.engine.submit(.of(.step("a"), .step("b")))
            _ = try await task.wait()
            isMended.next()
            try await task.retry(steps: ["b"])
            #expect(try await task.wait().states == ["a": .error, "b": .complete])
            let unknown = await #expect(throws: UnknownStepError.self) { try await task.retry(steps: ["c"]) }
            #expect(unknown?.known == ["a", "b"])
            let error = await #expect(throws: EngineError.self) { try await task.retry(steps: ["b"]) }
            #expect(error?.code == "step_not_failed")
        }
    }

    @Test("A step that is resolved by hand lets those after it run, with the result that it was given")
    func resolve() async throws {
        try await withBench { bench in
            bench.engine.register("top") { _ in .failure(message: "no", retryable: false) }
            let seen = Basket<JSON?>()
            bench.engine.register("bottom") { context in
                seen.put(try await context.dependencyResult("top"))
                return .success()
            }
            let template = Template.of(.step("top"), .step("bottom", after: 0))
            for result: JSON? in [["by": "hand"], nil] {
                let task = try await bench.engine.submit(template)
                #expect(try await task.wait().state == .blockedByFailures)
                try await task.resolve("top", result: result, reason: "done on paper")
                let report = try await task.wait()
                #expect(report.state == .complete)
                #expect(report["top"]?.state == .resolvedManually)
                #expect(report["top"]?.resolvedReason == "done on paper")
            }
            #expect(seen.content == [["by": "hand"], nil])
        }
    }

    @Test("A task that nobody submitted cannot be waited for, retried or cancelled")
    func unknown() async throws {
        try await withBench { bench in
            let task = bench.engine.task(TaskID(high: 0x7000, low: 1))
            for attempt in [
                { _ = try await task.wait() }, { _ = try await task.report() }, { try await task.retry() },
                { try await task.cancel() }, { try await task.resolve("work") },
            ] as [() async throws -> Void] {
                let error = await #expect(throws: EngineError.self) { try await attempt() }
                #expect(error?.code == "unknown_task")
            }
        }
    }
}
