import StepwellHistory
import StepwellLog
import StepwellModel
import Testing

@Suite("Moments of the log")
struct MomentTests {
    private func time(_ text: String) throws -> Timestamp { try #require(Timestamp(text)) }

    @Test("As people write them")
    func texts() throws {
        #expect(MomentText("412") == .event(SequenceNumber(412)))
        #expect(MomentText("#412") == .event(SequenceNumber(412)))
        #expect(MomentText("-10m") == .ago(.seconds(600)))
        #expect(MomentText("02:00:31.000") == .timeOfDay(7_231_000))
        #expect(MomentText("2026-11-24T02:00:31.042Z") == .time(try time("2026-11-24T02:00:31.042Z")))
        #expect(MomentText("2026-11-24") == .time(try time("2026-11-24T00:00:00Z")))
    }

    @Test("A whole second is meant to its end, as what happened within it is shown with it")
    func wholeSeconds() throws {
        #expect(MomentText("02:00:31") == .timeOfDay(7_231_999))
        #expect(MomentText("02:00") == .timeOfDay(7_200_999))
        let end = try time("2026-11-24T02:00:31.999Z")
        for text in ["2026-11-24T02:00:31Z", "2026-11-24T02:00:31", "2026-11-24 03:00:31+01:00"] {
            #expect(MomentText(text) == .time(end))
        }
    }

    @Test(
        "What names no moment is refused",
        arguments: ["", "#", "-", "-1", "+412", "12m", "now", "1e3", "99999999999999999999", "#-1", "--1m"])
    func refused(text: String) {
        #expect(MomentText(text) == nil)
    }

    @Test("A time of day is one of the first day, or of the next when only that lies within the task's time")
    func timeOfDay() throws {
        let (first, last) = (try time("2026-11-23T23:50:00Z"), try time("2026-11-24T00:20:00Z"))
        func moment(_ text: String, last: Timestamp) throws -> Moment {
            try #require(MomentText(text)).moment(first: first, last: last, now: .zero)
        }
        #expect(try moment("23:55", last: last) == .time(try time("2026-11-23T23:55:00.999Z")))
        #expect(try moment("00:10", last: last) == .time(try time("2026-11-24T00:10:00.999Z")))
        #expect(try moment("00:30", last: last) == .time(try time("2026-11-23T00:30:00.999Z")))
        #expect(try moment("23:49", last: first) == .time(try time("2026-11-23T23:49:00.999Z")))
    }

    @Test("So long ago is counted from now")
    func ago() throws {
        let now = try time("2026-11-24T02:00:00Z")
        let moment = try #require(MomentText("-90s")).moment(first: .zero, last: .zero, now: now)
        #expect(moment == .time(try time("2026-11-24T01:58:30Z")))
    }

    @Test("A task at a moment: after an event, at a time, and before it was submitted")
    func reports() throws {
        var recorded = try Recorded([.step("a"), .step("b", after: [0])])
        try recorded.pass(1000)
        try recorded.succeed("a")
        func states(_ moment: Moment) throws -> [StepState]? {
            try TaskReport.read(recorded.task, from: recorded.log, at: moment)?.steps.map(\.state)
        }
        let submitted = try #require(try TaskStory.read(recorded.task, from: recorded.log)).submitted
        #expect(try states(.event(submitted.number)) == [.pending, .pending])
        #expect(try states(.event(submitted.number.next)) == [.enqueued, .pending])
        #expect(try states(.time(Recorded.begin)) == [.inProgress, .pending])
        #expect(try states(.time(Recorded.begin.advanced(by: Milliseconds(999)))) == [.inProgress, .pending])
        #expect(try states(.time(Recorded.begin.advanced(by: Milliseconds(1000)))) == [.complete, .inProgress])
        #expect(try states(.end) == [.complete, .inProgress])
        #expect(try states(.event(SequenceNumber(1))) == nil)
        #expect(try states(.time(.zero)) == nil)
    }
}
