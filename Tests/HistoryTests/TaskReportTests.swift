import StepwellHistory
import StepwellModel
import Testing

@Suite("What the log tells of a task")
struct TaskReportTests {
    @Test("Of a task that was never submitted, nothing")
    func unknown() throws {
        let recorded = try Recorded([.step("a")])
        #expect(try TaskReport.read(TaskID(high: 1, low: 1), from: recorded.log) == nil)
    }

    @Test("While it runs: what runs since when, and what waits for what")
    func running() throws {
        var recorded = try Recorded([.step("a", timeout: .seconds(60)), .step("b"), .step("c", after: [0, 1])])
        try recorded.pass(500)
        try recorded.succeed("b", #"{"rows": 12}"#)
        let report = try #require(try recorded.report())
        #expect(report.state == .inProgress)
        #expect(report.submitted == Recorded.begin)
        #expect(report.changed == Recorded.begin.advanced(by: Milliseconds(500)))
        #expect(report.closed == nil)
        let a = try #require(report["a"])
        #expect((a.state, a.attempts, a.starts) == (.inProgress, 1, 1))
        #expect(a.started == Recorded.begin)
        #expect(a.deadline == Recorded.begin.advanced(by: .seconds(60)))
        #expect(a.completed == nil)
        let b = try #require(report["b"])
        #expect(b.state == .complete)
        #expect(b.result?.description == #"{"rows": 12}"#)
        #expect(b.completed == Recorded.begin.advanced(by: Milliseconds(500)))
        #expect(report["c"]?.state == .pending)
        #expect(report["c"]?.waitsFor == ["a"])
        #expect(report["d"] == nil)
    }

    @Test("Waiting for a retry: the failure, and when the next attempt is due")
    func waiting() throws {
        var recorded = try Recorded([.step("a", retry: RetryPolicy(attemptsMax: 5, initialDelay: .seconds(3)))])
        try recorded.fail("a", Failure(message: "503", errorType: "unavailable", errorCode: "503"))
        let report = try #require(try recorded.report())
        #expect(report.state == .waitingForRetry)
        let a = try #require(report["a"])
        #expect((a.state, a.attempts, a.attemptsMax) == (.waitingForRetry, 1, 5))
        #expect(a.failure?.errorCode == "503")
        #expect(a.due == Recorded.begin.advanced(by: .seconds(3)))
        #expect(a.deadline == nil)
    }

    @Test("A success after failures keeps its count and forgets the failure")
    func retried() throws {
        var recorded = try Recorded([.step("a")])
        try recorded.fail("a", Failure(message: "once"))
        try recorded.pass(1000)
        try recorded.succeed("a", "[1]")
        let report = try #require(try recorded.report())
        #expect(report.state == .complete)
        #expect(report.closed == Recorded.begin.advanced(by: .seconds(1)))
        let a = try #require(report["a"])
        #expect((a.state, a.attempts, a.starts) == (.complete, 2, 2))
        #expect(a.failure == nil)
        #expect(a.started == Recorded.begin)
        #expect(a.lastStarted == Recorded.begin.advanced(by: .seconds(1)))
        #expect(a.due == nil)
    }

    @Test("Blocked: which step has failed for good and why, and what waits behind it")
    func blocked() throws {
        var recorded = try Recorded([.step("a"), .step("b", after: [0])])
        try recorded.fail("a", Failure(message: "no such table", retryable: false))
        let report = try #require(try recorded.report())
        #expect(report.state == .blockedByFailures)
        #expect(report.closed == nil)
        let a = try #require(report["a"])
        #expect((a.state, a.failureReason) == (.error, .notRetryable))
        #expect(a.failure?.message == "no such table")
        #expect(a.completed == Recorded.begin)
        #expect(report["b"]?.waitsFor == ["a"])
    }

    @Test("After an operator's retry the step counts anew, and its starts go on")
    func operatorRetried() throws {
        var recorded = try Recorded([.step("a", retry: RetryPolicy(attemptsMax: 1))])
        try recorded.fail("a", Failure(message: "no"))
        try recorded.retry()
        let report = try #require(try recorded.report())
        #expect(report.state == .inProgress)
        let a = try #require(report["a"])
        #expect((a.state, a.attempts, a.starts) == (.inProgress, 1, 2))
        #expect(a.failureReason == nil)
        #expect(a.completed == nil)
    }

    @Test("Timed out: the failure names the limit")
    func timedOut() throws {
        var recorded = try Recorded([.step("a", retry: RetryPolicy(attemptsMax: 1), timeout: .seconds(5))])
        try recorded.pass(5000)
        let a = try #require(try recorded.report()?["a"])
        #expect((a.state, a.failureReason) == (.error, .attemptsExhausted))
        #expect(a.failure?.errorType == "timeout")
        #expect(a.failure?.message == "the attempt took longer than 5.0 s")
        #expect(a.deadline == nil)
    }

    @Test("Lost: losses are counted, attempts are not")
    func lost() throws {
        var recorded = try Recorded([.step("a", retry: RetryPolicy(lossesMax: 3))])
        for worker in 1...2 as ClosedRange<UInt32> {
            try recorded.lose(worker)
            try recorded.join(worker + 1)
        }
        let a = try #require(try recorded.report()?["a"])
        #expect((a.state, a.attempts, a.losses, a.starts) == (.inProgress, 1, 2, 3))
        try recorded.lose(3)
        let lost = try #require(try recorded.report()?["a"])
        #expect((lost.state, lost.losses, lost.failureReason) == (.error, 3, .lossesExhausted))
        #expect(lost.failure?.errorType == "lost")
    }

    @Test("Resolved by hand: the operator's result and reason")
    func resolved() throws {
        var recorded = try Recorded([.step("a"), .step("b", after: [0])])
        try recorded.fail("a", Failure(message: "no", retryable: false))
        try recorded.resolve("a", #"{"rows":0}"#, reason: "the source was empty")
        let report = try #require(try recorded.report())
        let a = try #require(report["a"])
        #expect((a.state, a.resolvedReason) == (.resolvedManually, "the source was empty"))
        #expect(a.result?.description == #"{"rows":0}"#)
        #expect(report["b"]?.state == .inProgress)
        #expect(report["b"]?.waitsFor == [])
    }

    @Test("Cancelled: what had ended stays as it was, the rest is cancelled, and late results change nothing")
    func cancelled() throws {
        var recorded = try Recorded([.step("a"), .step("b"), .step("c", after: [1]), .step("d")])
        try recorded.succeed("a", "1")
        try recorded.fail("d", Failure(message: "not yet"))
        try recorded.cancel("superseded")
        try recorded.pass(2000)
        try recorded.succeed("b", "2")
        let report = try #require(try recorded.report())
        #expect(report.state == .cancelled)
        #expect(report.cancelReason == "superseded")
        #expect(report.closed == Recorded.begin)
        #expect(report.steps.map(\.state) == [.complete, .cancelled, .cancelled, .cancelled])
        #expect(report["b"]?.result == nil)
        #expect(report["d"]?.due == nil)
        #expect(report.changed == Recorded.begin.advanced(by: .seconds(2)))
    }
}
