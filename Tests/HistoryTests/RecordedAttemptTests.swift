import StepwellHistory
import StepwellLog
import StepwellModel
import Testing

@Suite("An attempt of the past")
struct RecordedAttemptTests {
    private func read(_ recorded: Recorded, _ step: StepIndex, attempt: Int? = nil) throws -> RecordedAttempt {
        try RecordedAttempt.read(recorded.task, step: step, attempt: attempt, from: recorded.log)
    }

    @Test("With the results and the checkpoint that it found when it began, not those that came after")
    func given() throws {
        var recorded = try Recorded([.step("a"), .step("b", after: [0], retry: RetryPolicy(backoff: .none))])
        try recorded.succeed("a", "[1]")
        try recorded.checkpoint("b", #"{"row":1}"#)
        try recorded.fail("b", Failure(message: "once"))
        try recorded.pass(0)
        try recorded.checkpoint("b", #"{"row":2}"#)
        try recorded.succeed("b", "[2]")
        let first = try read(recorded, 1, attempt: 1)
        #expect(first.checkpoint == .zero)
        guard case .failed = first.story.end else {
            Issue.record("it ended otherwise")
            return
        }
        let second = try read(recorded, 1)
        #expect(second.attempt.attempt == 2)
        guard case .attemptCheckpointed(_, let data) = try recorded.log.event(second.checkpoint)?.event else {
            Issue.record("there is no checkpoint")
            return
        }
        #expect(data.description == #"{"row":1}"#)
        guard case .attemptSucceeded(_, let result, _) = try recorded.log.event(second.results[0])?.event else {
            Issue.record("there is no result")
            return
        }
        #expect(result.description == "[1]")
        #expect(second.results[1] == .zero)
        #expect(second.json["result"] == [2])
    }

    @Test("Of several with the same number, the last")
    func last() throws {
        var recorded = try Recorded([.step("a", retry: RetryPolicy(attemptsMax: 1))])
        try recorded.fail("a", Failure(message: "no"))
        try recorded.retry()
        try recorded.succeed("a")
        #expect(try read(recorded, 0, attempt: 1).json["outcome"]?.string == "succeeded")
    }

    @Test("One that there never was is refused")
    func missing() throws {
        let recorded = try Recorded([.step("a"), .step("b", after: [0])])
        #expect(throws: NoAttempt.self) { try read(recorded, 1) }
        #expect(throws: NoAttempt.self) { try read(recorded, 0, attempt: 2) }
        #expect(try read(recorded, 0).json["outcome"]?.string == "running")
    }
}
