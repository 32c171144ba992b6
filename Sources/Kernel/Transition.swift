/// What a machine answers to an event in a state.
package enum Transition<State: Hashable & Sendable>: Hashable, Sendable {
    case moves(to: State)
    /// The event is recorded and the state is the same after it.
    case stays
    /// The scheduler never records this; a log that holds it is damaged.
    case illegal
}

/// A transition table as data: what every state answers to every event.
package struct TransitionTable<State, Trigger>: Sendable
where
    State: RawRepresentable<UInt8> & Hashable & Sendable & CaseIterable,
    Trigger: RawRepresentable<Int> & Hashable & Sendable & CaseIterable
{
    /// One line of the table: these states, on this event, give that.
    package struct Rule: Sendable {
        let from: [State]
        let on: [Trigger]
        let to: Transition<State>
    }

    private let answers: [Transition<State>]
    private let triggerCount: Int

    /// A table from its rules; what no rule names is illegal, and no pair may be named twice.
    init(_ rules: [Rule]) {
        triggerCount = Trigger.allCases.count
        var answers = [Transition<State>](repeating: .illegal, count: State.allCases.count * triggerCount)
        for rule in rules {
            for state in rule.from {
                for trigger in rule.on {
                    let place = Int(state.rawValue) * triggerCount + trigger.rawValue
                    precondition(answers[place] == .illegal, "\(state) on \(trigger) has two answers")
                    answers[place] = rule.to
                }
            }
        }
        self.answers = answers
    }

    package subscript(state: State, trigger: Trigger) -> Transition<State> {
        answers[Int(state.rawValue) * triggerCount + trigger.rawValue]
    }
}
