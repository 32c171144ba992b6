import StepwellEngine
import StepwellKernel
import StepwellLog
import StepwellModel
import Testing

@Suite("The running engine", .timeLimit(.minutes(1)))
struct EngineCoreTests {
    private let log = MemoryLog()

    private func count(_ isMeant: (Event) -> Bool) throws -> Int {
        var count = 0
        try log.events(after: .zero, payloads: .skipped) { record in
            if isMeant(record.event) { count += 1 }
            return true
        }
        return count
    }

    @Test("Whoever waits for a task hears when it is closed or blocked, at once if it is so already")
    func settled() async throws {
        let bench = try EngineBench(log)
        bench.join()
        for number in 1...2 as ClosedRange<UInt64> { try await bench.submit(number) }
        let waits = Task { try await bench.settled(1) }
        let first = await bench.assignment(0)
        bench.engine.finish(first, .succeeded(.emptyObject, metadata: nil))
        #expect(try await waits.value == .complete)
        #expect(try await bench.settled(1) == .complete)
        let second = await bench.assignment(1)
        bench.engine.finish(second, .failed(Failure(message: "no", retryable: false)))
        #expect(try await bench.settled(2) == .blockedByFailures)
        #expect(try await bench.settled(2) == .blockedByFailures)
        try await bench.engine.send(.cancelTask(.numbered(2), reason: nil), by: Actor(.operator))
        #expect(try await bench.settled(2) == .cancelled)
        do {
            _ = try await bench.settled(9)
            Issue.record("a task that nobody submitted has settled")
        } catch { #expect(error.code == "unknown_task") }
        await bench.engine.stop()
    }

    @Test("Drained, it starts nothing more, and waits for what runs")
    func drain() async throws {
        let bench = try EngineBench(log)
        bench.join()
        try await bench.submit(1, .chain(2))
        let first = await bench.assignment(0)
        let drained = Task { await bench.engine.drain(grace: .seconds(50)) }
        await bench.until { bench.runner.drainCount == 1 }
        bench.engine.finish(first, .succeeded(.emptyObject, metadata: nil))
        await drained.value
        await bench.engine.stop()
        #expect(bench.runner.assignments.count == 1)
        #expect(bench.runner.stops == [])
        #expect(try log.task(.numbered(1))?.stepsDone == 1)
        #expect(try count { $0 == .engineDraining } == 1)
        #expect(try count { $0 == .engineStopped } == 1)
    }

    @Test("What does not end within the grace time is told to stop, and is given back to the next engine")
    func drainWithoutGrace() async throws {
        let bench = try EngineBench(log)
        bench.join()
        try await bench.submit(1)
        let first = await bench.assignment(0)
        let drained = Task { await bench.engine.drain(grace: .zero) }
        await bench.until { !bench.runner.stops.isEmpty }
        #expect(bench.runner.stops == ["\(first.attempt.lease): shutdown"])
        bench.engine.finish(first, .stopped)
        await drained.value
        await bench.engine.stop()
        #expect(try count { if case .attemptLost(_, .engineStopped) = $0 { true } else { false } } == 1)

        let next = try EngineBench(log)
        next.join()
        let again = await next.assignment(0)
        #expect(again.attempt.attempt == 1)
        next.engine.finish(again, .succeeded(.emptyObject, metadata: nil))
        #expect(try await next.settled(1) == .complete)
        await next.engine.stop()
    }

    @Test(
        "An attempt that runs past its deadline is told so, and what it still says is rejected; also while the clock is behind",
        arguments: [(setBack: 0, wait: 30), (setBack: 3600, wait: 60)])
    func timeout(setBack: Int64, wait: Int64) async throws {
        let bench = try EngineBench(log)
        var template = Template.chain(1, retry: RetryPolicy(backoff: .none))
        template.steps[0].timeout = .seconds(30)
        bench.join()
        try await bench.submit(1, template)
        let first = await bench.assignment(0)
        bench.clock.set(by: .seconds(-setBack))
        bench.clock.pass(.seconds(wait))
        // Any letter makes the loop look at the clock.
        _ = try await bench.engine.ask { $0.openTaskCount }
        await bench.until { bench.runner.stops == ["\(first.attempt.lease): timeout"] }
        bench.engine.finish(first, .succeeded(.emptyObject, metadata: nil))
        await bench.until { bench.runner.rejections == ["\(first.attempt.lease): timed_out"] }
        let second = await bench.assignment(1)
        #expect(second.attempt.attempt == 2)
        bench.engine.finish(second, .succeeded(.emptyObject, metadata: nil))
        #expect(try await bench.settled(1) == .complete)
        await bench.engine.stop()
    }

    @Test("A result that is larger than the limit fails the step for good")
    func resultLimit() async throws {
        var limits = Limits()
        limits.resultBytesMax = 10
        let bench = try EngineBench(log, limits: limits)
        bench.join()
        try await bench.submit(1)
        let first = await bench.assignment(0)
        bench.engine.finish(first, .succeeded(try JSONText(#""123456789""#), metadata: nil))
        #expect(try await bench.settled(1) == .blockedByFailures)
        #expect(
            try count {
                if case .attemptFailed(_, let failure) = $0 { failure.errorType == "result_too_large" } else { false }
            } == 1)
        await bench.engine.stop()
    }

    @Test(
        "Of a handler's log as many lines are kept as the limit allows, each cut to its limit, and the last one says so"
    )
    func logLimit() async throws {
        var limits = Limits()
        (limits.logLinesMax, limits.logLineBytesMax) = (3, 8)
        let bench = try EngineBench(log, limits: limits)
        bench.join()
        try await bench.submit(1)
        let first = await bench.assignment(0)
        for text in ["one", "12345678", "a line of its own", "four", "five", "six"] {
            bench.engine.log(first, .info, text)
        }
        await bench.engine.stop()
        var lines: [String] = []
        try log.logLines(of: .numbered(1), after: nil) { line in
            lines.append("\(line.number) \(line.level.name) \(line.text)")
            return true
        }
        #expect(
            lines == [
                "0 info one", "1 info 12345678", "2 info a line o…",
                "3 warning the limit of 3 lines is reached; further lines are not kept",
            ])
    }

    @Test("An attempt may have the result of an ancestor, and of nothing else")
    func results() async throws {
        let bench = try EngineBench(log)
        bench.join()
        try await bench.submit(1, .chain(3))
        bench.engine.finish(await bench.assignment(0), .succeeded(try JSONText("[1,  2]"), metadata: nil))
        bench.engine.finish(await bench.assignment(1), .succeeded(try JSONText("{}"), metadata: nil))
        let third = await bench.assignment(2)
        func result(of step: String) async -> String {
            await withCheckedContinuation { continuation in
                bench.engine.result(of: step, for: third) { answer in
                    switch answer {
                    case .success(let text): continuation.resume(returning: text.description)
                    case .failure(let error): continuation.resume(returning: error.description)
                    }
                }
            }
        }
        #expect(await result(of: "s0") == "[1,  2]")
        #expect(await result(of: "s2") == "'s2' is no ancestor of this step")
        #expect(await result(of: "nowhere") == "'nowhere' is no ancestor of this step")
        await bench.engine.stop()
    }
}
