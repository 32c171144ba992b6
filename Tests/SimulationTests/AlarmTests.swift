import StepwellModel
import Testing

@testable import StepwellSimulation

/// The log's time is 1000 when the timer is set, and the clock that nobody sets says 50.
@Suite("Alarms")
struct AlarmTests {
    private let task = TaskID(high: 7, low: 7)
    private let attempt = AttemptID(step: 0, attempt: 1, lease: SequenceNumber(6), worker: WorkerID(1))

    private func record(_ event: Event, at time: Int64) -> EventRecord {
        EventRecord(
            number: SequenceNumber(9), task: task, taskNumber: 2, previous: SequenceNumber(8),
            time: Timestamp(milliseconds: time), actor: .engine, cause: .zero, event: event)
    }

    private func start(deadline: Int64?) -> Event {
        .attemptStarted(
            AttemptStart(
                step: 0, attempt: 1, worker: WorkerID(1), workerKind: .process,
                deadline: deadline.map(Timestamp.init(milliseconds:))))
    }

    /// What is said of the timer that the event has set when it fires in that turn.
    private func verdict(
        _ setting: Event, fires event: Event, in turn: Alarms.Turn,
        restartedAt restart: (now: Int64, logTime: Int64)? = nil
    ) throws -> String? {
        var alarms = Alarms()
        try alarms.read(record(setting, at: 1000), in: Alarms.Turn(time: 50))
        if let restart { alarms.begin(at: restart.now, logTime: Timestamp(milliseconds: restart.logTime)) }
        do {
            try alarms.read(record(event, at: 1300), in: turn)
            return nil
        } catch { return error.invariant }
    }

    @Test("A retry may take twice its time, and no longer")
    func retry() throws {
        let setting = Event.retryScheduled(0, due: Timestamp(milliseconds: 1300))
        #expect(try verdict(setting, fires: .retryDue(0), in: .init(time: 350)) == nil)
        #expect(try verdict(setting, fires: .retryDue(0), in: .init(time: 651)) == nil)
        #expect(try verdict(setting, fires: .retryDue(0), in: .init(time: 652)) == "punctual")
    }

    @Test("So may a timeout; an attempt without one has no alarm")
    func timeout() throws {
        let timedOut = Event.attemptTimedOut(attempt)
        #expect(try verdict(start(deadline: 1300), fires: timedOut, in: .init(time: 651)) == nil)
        #expect(try verdict(start(deadline: 1300), fires: timedOut, in: .init(time: 652)) == "punctual")
        #expect(try verdict(start(deadline: nil), fires: timedOut, in: .init(time: 9999)) == nil)
    }

    @Test("Time in which the loop could not turn, or no engine ran, does not count")
    func held() throws {
        let setting = Event.retryScheduled(0, due: Timestamp(milliseconds: 1300))
        #expect(try verdict(setting, fires: .retryDue(0), in: .init(time: 900, possibleFrom: 900)) == nil)
        #expect(try verdict(setting, fires: .retryDue(0), in: .init(time: 900, possibleFrom: 898)) == "punctual")
        // The log's last event was at 1100: 200 are left.
        let restart = (now: Int64(2000), logTime: Int64(1100))
        #expect(try verdict(setting, fires: .retryDue(0), in: .init(time: 2401), restartedAt: restart) == nil)
        #expect(try verdict(setting, fires: .retryDue(0), in: .init(time: 2402), restartedAt: restart) == "punctual")
    }
}
