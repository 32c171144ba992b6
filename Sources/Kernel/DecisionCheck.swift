package import StepwellModel

/// Asks the scheduler again: folds a log's facts, lets the scheduler decide anew, and holds what it decides against what is
/// recorded.
///
/// Feed it every event in order, and tell it where commits end. As each decision that it makes is applied like a recorded one, its
/// state is the fold of what it has accepted.
package struct DecisionCheck: Sendable {
    package private(set) var state = State()
    private var turn: Turn?
    /// How many of the turn's records have been met.
    private var met = 0

    package init() {}

    /// Makes a template known, before the first event of a task with it.
    package mutating func adopt(_ plan: Plan) { state.adopt(plan) }

    /// Takes the next event.
    ///
    /// - Parameter closed: the event's task as it was before the event, when it had closed before the event's commit.
    /// - Throws: why the event cannot be what the engine has recorded.
    package mutating func take(_ record: EventRecord, closed: TaskSummary? = nil) throws(DecisionError) {
        if let turn, met < turn.records.count { return try meet(record, turn.records[met]) }
        guard record.number == state.last.next else {
            throw DecisionError(record.number, .gap(after: state.last))
        }
        guard !record.isDecision else { throw DecisionError(record.number, .undecided(record.event)) }
        guard record.time >= state.time else { throw DecisionError(record.number, .earlier(than: state.time)) }
        if turn == nil { turn = Turn(time: record.time) }
        try checkDue(record)
        do throws(FoldError) {
            try state.replay(
                Fact(record.event, task: record.task), by: record.actor, closed: closed, in: &turn!)
        } catch { throw DecisionError(record.number, .illegal(error)) }
        try meet(record, turn!.records[met])
    }

    /// Ends a commit: the tasks that it touched, as they are now.
    package mutating func endCommit() throws(DecisionError) -> [TaskSummary] {
        guard var turn else { return [] }
        if met < turn.records.count {
            throw DecisionError(turn.records[met].number, .missing(turn.records[met].event))
        }
        state.end(&turn)
        self.turn = nil
        met = 0
        return turn.summaries
    }

    private mutating func meet(_ record: EventRecord, _ expected: EventRecord) throws(DecisionError) {
        guard record == expected else { throw DecisionError(record.number, .other(record, expected: expected)) }
        met += 1
    }

    /// A timer must not have fired too early.
    private func checkDue(_ record: EventRecord) throws(DecisionError) {
        let step: StepIndex
        switch record.event {
        case .limitDue(let limit):
            guard let due = state.lanes.limits.due(of: limit), due > record.time else { return }
            throw DecisionError(record.number, .tooEarly(due: due))
        case .retryDue(let waiting): step = waiting
        case .attemptTimedOut(let attempt): step = attempt.step
        default: return
        }
        guard let task = record.task, let steps = state[task]?.steps, steps.indices.contains(step) else { return }
        guard steps[step].due <= record.time else {
            throw DecisionError(record.number, .tooEarly(due: steps[step].due))
        }
    }
}

/// Where a recorded log is not what the scheduler would have recorded.
package struct DecisionError: Error, Hashable, CustomStringConvertible {
    package enum Reason: Hashable, Sendable {
        case gap(after: SequenceNumber)
        case earlier(than: Timestamp)
        case tooEarly(due: Timestamp)
        case illegal(FoldError)
        /// A decision where none follows.
        case undecided(Event)
        /// Another decision, or another envelope.
        indirect case other(EventRecord, expected: EventRecord)
        /// The commit ends where a decision still follows.
        case missing(Event)
    }

    package var number: SequenceNumber
    package var reason: Reason

    init(_ number: SequenceNumber, _ reason: Reason) {
        self.number = number
        self.reason = reason
    }

    package var description: String {
        switch reason {
        case .gap(let last): "the event before it is \(last)"
        case .earlier(let time): "its time is before that of the event before, \(time)"
        case .tooEarly(let due): "its timer was due at \(due), and not before"
        case .illegal(let error): error.reason
        case .undecided(let event): "the scheduler does not decide this here: \(event)"
        case .other(let record, let expected):
            record.event == expected.event
                ? "its envelope should be \(expected)"
                : "it is \(record.event), but the scheduler decides otherwise: \(expected.event)"
        case .missing(let event): "the commit lacks a decision that follows: \(event)"
        }
    }
}
