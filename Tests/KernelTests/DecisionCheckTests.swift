import StepwellKernel
import StepwellModel
import Testing

@Suite("Asking the scheduler again")
struct DecisionCheckTests {
    private let history: History

    init() throws {
        var story = Story(steps("a, b, c < a, d < b c", timeout: .seconds(60)))
        _ = try story.submit()
        _ = try story.submit("second", steps: steps("x, y < x"))
        _ = try story.fail("a")
        _ = try story.succeed("x", of: "second")
        _ = try story.pass(1000)
        let late = story.answer("b", .success)
        _ = story.lose(1)
        _ = try story.turn([late])
        _ = story.join(.offering("h", id: 2, slots: 2))
        _ = try story.pass(60_000)
        _ = try story.succeed("y", of: "second")
        history = story.driver.history
    }

    /// Commits as the engine would have made them, had it got one fact at a time.
    private func rehearse(_ records: [EventRecord]) throws(DecisionError) {
        var decisions = DecisionCheck()
        for (digest, template) in history.templates { decisions.adopt(Plan(template, digest: digest)) }
        var ended: [TaskID: TaskSummary] = [:]
        for (place, record) in records.enumerated() {
            try decisions.take(record, closed: record.task.flatMap { ended[$0] })
            guard place + 1 == records.count || !records[place + 1].isDecision else { continue }
            for summary in try decisions.endCommit() { ended[summary.id] = summary }
        }
    }

    @Test("What the scheduler has recorded, it decides again")
    func sound() throws {
        try rehearse(Array(history.records))
    }

    @Test("A decision that is missing, doubled or not the scheduler's is named")
    func tampered() {
        let records = Array(history.records)
        var decisions = 0
        for (place, record) in records.enumerated() where record.isDecision {
            decisions += 1
            var missing = records
            missing.remove(at: place)
            var doubled = records
            doubled.insert(record, at: place)
            var other = records
            other[place].event = record.event == .taskBlocked ? .taskWaiting : .taskBlocked
            for changed in [missing, doubled, other] {
                let error = #expect(throws: DecisionError.self) { try rehearse(changed) }
                let number = error?.number ?? .zero
                #expect(
                    number == record.number || number == record.number.next,
                    "\(record) gave \(String(describing: error))")
            }
        }
        #expect(decisions > 20)
    }

    @Test("An envelope that is not the engine's is named")
    func envelope() {
        let records = Array(history.records)
        for (place, record) in records.enumerated() {
            let changes: [(inout EventRecord) -> Void] = [
                { $0.time = $0.time.advanced(by: Milliseconds(1_000_000_000)) },
                { $0.time = Timestamp(milliseconds: 1) },
                { $0.previous = $0.previous.next },
                { $0.taskNumber += 1 },
                { $0.task = TaskID(high: 7, low: 7) },
            ]
            for (number, change) in changes.enumerated() {
                // A fact may have come later, if nothing follows it that knows better.
                if number == 0, place + 1 == records.count || !record.isDecision { continue }
                if number == 1, place == 0 { continue }
                var changed = records
                change(&changed[place])
                #expect(throws: DecisionError.self, "change \(number) of \(record)") { try rehearse(changed) }
            }
        }
    }

    @Test("A timer that fires before it is due is named")
    func tooEarly() throws {
        var records = Array(history.records)
        let place = try #require(records.firstIndex { if case .retryDue = $0.event { true } else { false } })
        for later in place..<records.count where records[later].time == records[place].time {
            if later > place, !records[later].isDecision { break }
            records[later].time = records[place - 1].time
        }
        let error = #expect(throws: DecisionError.self) { try rehearse(records) }
        #expect(error?.number == records[place].number)
        guard case .tooEarly = error?.reason else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("A fact that cannot be is refused, not obeyed")
    func illegalFact() {
        let records = Array(history.records)
        for (place, record) in records.enumerated() {
            guard case .attemptSucceeded(var attempt, let result, let metadata) = record.event else { continue }
            attempt.lease = attempt.lease.next
            var changed = records
            changed[place].event = .attemptSucceeded(attempt, result: result, metadata: metadata)
            let error = #expect(throws: DecisionError.self) { try rehearse(changed) }
            #expect(error?.number == record.number)
        }
    }
}
