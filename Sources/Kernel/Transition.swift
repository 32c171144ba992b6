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
where State: Hashable & Sendable & CaseIterable, Trigger: Hashable & Sendable & CaseIterable {
    /// One line of the table: these states, on this event, give that.
    package struct Rule: Sendable {
        let from: [State]
        let on: [Trigger]
        let to: Transition<State>
    }

    private let answers: [Transition<State>]
    private let index: @Sendable (State, Trigger) -> Int

    /// A table from its rules; what no rule names is illegal, and no pair may be named twice.
    init(_ rules: [Rule], index: @escaping @Sendable (State, Trigger) -> Int) {
        var answers = [Transition<State>](
            repeating: .illegal, count: State.allCases.count * Trigger.allCases.count)
        for rule in rules {
            for state in rule.from {
                for trigger in rule.on {
                    precondition(
                        answers[index(state, trigger)] == .illegal, "\(state) on \(trigger) has two answers")
                    answers[index(state, trigger)] = rule.to
                }
            }
        }
        self.answers = answers
        self.index = index
    }

    package subscript(state: State, trigger: Trigger) -> Transition<State> {
        answers[index(state, trigger)]
    }
}
