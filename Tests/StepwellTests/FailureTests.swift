import Stepwell
import Testing

@Suite("A handler fails", .timeLimit(.minutes(1)))
struct FailureTests {
    struct Unreachable: Error, CustomStringConvertible {
        var description: String { "the warehouse does not answer" }
    }

    @Test("A thrown error is tried again after the policy's wait")
    func thrown() async throws {
        try await withBench { bench in
            bench.engine.register("work") { context in
                if context.attempt < 3 { throw Unreachable() }
                return .success(["attempt": 3])
            }
            let start = bench.clock.now()
            let task = try await bench.engine.submit(.single)
            for (number, wait) in [(1, Milliseconds.seconds(2)), (2, .seconds(4))] {
                let retry = try await bench.retryScheduled(number)
                #expect(retry.event == .retryScheduled(0, due: bench.clock.now().advanced(by: wait)))
                let waiting = try await task.report()
                #expect(waiting.state == .waitingForRetry)
                #expect(waiting["work"]?.failure?.message == "the warehouse does not answer")
                #expect(waiting["work"]?.failure?.errorType == "Unreachable")
                try await bench.pass(wait)
            }
            let report = try await task.wait()
            #expect(report.state == .complete && report["work"]?.attempts == 3)
            #expect(bench.clock.now() - start == .seconds(6))
        }
    }

    @Test("When all attempts are used up the task is blocked, and its other branches have run")
    func exhausted() async throws {
        try await withBench { bench in
            bench.engine.register("bad") { _ in .failure(message: "no", errorType: "refused", errorCode: "E7") }
            bench.engine.register("good") { _ in .success() }
            bench.engine.register("after_bad") { _ in .success() }
            let report = try await bench.run(
                .of(.step("bad", attempts: 1), .step("good"), .step("after_bad", after: 0)))
            #expect(report.state == .blockedByFailures)
            #expect(report.states == ["bad": .error, "good": .complete, "after_bad": .pending])
            #expect(report["bad"]?.failureReason == .attemptsExhausted)
            #expect(report["bad"]?.failure?.errorCode == "E7")
            #expect(report["after_bad"]?.waitsFor == ["bad"])
        }
    }

    @Test("A failure that is not retryable is final")
    func permanent() async throws {
        try await withBench { bench in
            let calls = Counter()
            bench.engine.register("work") { _ in
                calls.next()
                throw Failure(message: "no such customer", errorType: "validation_error", retryable: false)
            }
            let report = try await bench.run(.single)
            #expect(report.state == .blockedByFailures && calls.value == 1)
            #expect(report["work"]?.failureReason == .notRetryable)
            #expect(report["work"]?.failure?.errorType == "validation_error")
        }
    }

    @Test("The wait that a failure asks for wins over the policy's")
    func retryAfter() async throws {
        try await withBench { bench in
            bench.engine.register("work") { context in
                context.attempt == 1
                    ? .failure(message: "busy", errorType: "rate_limit", retryAfter: .seconds(7)) : .success()
            }
            let task = try await bench.engine.submit(.single)
            let retry = try await bench.retryScheduled()
            #expect(retry.event == .retryScheduled(0, due: bench.clock.now().advanced(by: .seconds(7))))
            try await bench.pass(.seconds(7))
            #expect(try await task.wait().state == .complete)
        }
    }

    @Test("A handler that takes too long is cancelled, and the step is tried again")
    func timeout() async throws {
        try await withBench { bench in
            let cancellations = Counter()
            bench.engine.register("work") { context in
                guard context.attempt == 1 else { return .success() }
                do {
                    try await Task.sleep(for: .seconds(3600))
                } catch {
                    #expect(context.isCancelled)
                    cancellations.next()
                    throw error
                }
                return .success(["late": true])
            }
            let task = try await bench.engine.submit(.of(.step("work", timeout: .seconds(5))))
            _ = try await bench.happenings.event { if case .attemptStarted = $0 { true } else { false } }
            try await bench.pass(.seconds(5))
            _ = try await bench.retryScheduled()
            #expect(try await task.report()["work"]?.failure?.errorType == "timeout")
            // It has really ended: its place is free again.
            _ = try await bench.happenings.event { if case .attemptStopped = $0 { true } else { false } }
            #expect(cancellations.value == 1)
            try await bench.pass(.seconds(2))
            let report = try await task.wait()
            #expect(report.state == .complete && report["work"]?.attempts == 2)
            #expect(report["work"]?.result == .null)
        }
    }

    @Test("A result that comes after the timeout is rejected and changes nothing")
    func late() async throws {
        try await withBench { bench in
            let gate = Gate()
            let isDetached = Gate()
            bench.engine.register("work") { context in
                guard context.attempt == 1 else { return .success(["attempt": 2]) }
                // Deaf to cancellation.
                await Task.detached {
                    isDetached.open()
                    await gate.pass()
                }.value
                return .success(["attempt": 1])
            }
            let task = try await bench.engine.submit(.of(.step("work", timeout: .seconds(5))))
            await isDetached.pass()
            try await bench.pass(.seconds(5))
            _ = try await bench.retryScheduled()
            gate.open()
            let rejected = try await bench.happenings.event { if case .resultRejected = $0 { true } else { false } }
            guard case .resultRejected(_, let result) = rejected.event else { return }
            #expect(result == RejectedResult(reason: .timedOut, succeeded: true))
            try await bench.pass(.seconds(2))
            #expect(try await task.wait()["work"]?.result?.json == ["attempt": 2])
        }
    }

    @Test("A result that does not fit the result_schema is a permanent failure that says why")
    func resultSchema() async throws {
        try await withBench { bench in
            let schema: JSON = ["type": "object", "required": ["total"], "properties": ["total": ["type": "integer"]]]
            bench.engine.register("work") { _ in .success(["total": "many"]) }
            bench.engine.register("fine") { _ in .success(["total": 3]) }
            let report = try await bench.run(
                .of(.step("work", resultSchema: schema), .step("fine", resultSchema: schema)))
            #expect(report.states == ["work": .error, "fine": .complete])
            let failure = try #require(report["work"]?.failure)
            #expect(failure.errorType == "invalid_result" && !failure.retryable)
            #expect(failure.message.contains("/total"))
            #expect(report["work"]?.result == nil && report["work"]?.attempts == 1)
        }
    }

    @Test("A result above the limit is refused for good; one of just the limit is kept")
    func tooLarge() async throws {
        try await withBench {
            $0.resultBytesMax = 100
        } _: { bench in
            // A string of n characters has n + 2 bytes as JSON.
            bench.engine.register("fits") { _ in .success(.string(String(repeating: "x", count: 98))) }
            bench.engine.register("does_not") { _ in .success(.string(String(repeating: "x", count: 99))) }
            let report = try await bench.run(.of(.step("fits"), .step("does_not")))
            #expect(report["fits"]?.result?.bytes.count == 100)
            #expect(report["does_not"]?.state == .error)
            #expect(report["does_not"]?.failure?.errorType == "result_too_large")
            #expect(report["does_not"]?.failure?.retryable == false)
        }
    }
}
