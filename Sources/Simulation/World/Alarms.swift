import StepwellModel

/// When each timer must have fired at the latest, by the clock that nobody sets: after twice its time, also while the clock on the
/// wall is behind the log.
struct Alarms {
    /// A turn of the loop, and from when on the loop was free for it.
    struct Turn {
        var time: Int64 = 0
        var possibleFrom: Int64 = 0
    }

    private struct Place: Hashable {
        let task: TaskID
        let step: StepIndex
    }

    private struct Alarm {
        let due: Timestamp
        let limit: Timestamp

        /// - Parameter logTime: what the log says at that moment.
        init(due: Timestamp, at now: Int64, logTime: Timestamp) {
            let wait = max(.zero, due - logTime)
            self.due = due
            limit = Timestamp(milliseconds: now).advanced(by: wait).advanced(by: wait)
        }
    }

    private var alarms: [Place: Alarm] = [:]

    /// An engine starts: the log's time goes on from its last event.
    mutating func begin(at now: Int64, logTime: Timestamp) {
        alarms = alarms.mapValues { Alarm(due: $0.due, at: now, logTime: logTime) }
    }

    /// - Parameter turn: in which it was made; nil for what was found at a start.
    mutating func read(_ record: EventRecord, in turn: Turn?) throws(Violation) {
        guard let task = record.task else { return }
        func alarm(_ due: Timestamp) -> Alarm { Alarm(due: due, at: turn?.time ?? 0, logTime: record.time) }
        switch record.event {
        case .retryScheduled(let step, let due): alarms[Place(task: task, step: step)] = alarm(due)
        case .attemptStarted(let start): alarms[Place(task: task, step: start.step)] = start.deadline.map(alarm)
        case .retryDue(let step): try fire(Place(task: task, step: step), record, turn)
        case .attemptTimedOut(let attempt): try fire(Place(task: task, step: attempt.step), record, turn)
        default: break
        }
    }

    private mutating func fire(_ place: Place, _ record: EventRecord, _ turn: Turn?) throws(Violation) {
        guard let alarm = alarms.removeValue(forKey: place), let turn else { return }
        // Half a millisecond of the log may be missing.
        let late = turn.time - max(alarm.limit.milliseconds, turn.possibleFrom) - 1
        guard late > 0 else { return }
        throw Violation(
            invariant: "punctual", message: "the timer of step \(place.step) fires \(late) ms too late",
            number: record.number)
    }
}
