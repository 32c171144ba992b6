import StepwellKernel
import StepwellModel

/// `docs/states.md`, made from the machines' tables and what is said here of each state.
struct StatesPage {
    var text: String {
        """
        # States

        What moves a step or a task is always an event in the log. These tables are the ones that the kernel asks: a test writes
        this page from them and compares it. A state's name in a cell is where the event leads; · means that the event is
        recorded and the state stays; an empty cell means that the scheduler never records the event in that state, and that a
        log which holds it is damaged.

        ## Steps

        \(meanings(StepState.allCases, name: \.name, meaning: \.meaning))

        The end of an attempt is a fact that leaves the step `in_progress`. The decision that follows from it, in the same commit,
        moves the step on.

        \(table(StepMachine.table, name: \.name, event: \.eventNames))

        ## Tasks

        \(meanings(TaskState.allCases, name: \.name, meaning: \.meaning))

        \(table(TaskMachine.table, name: \.name, event: \.eventNames))

        """
    }

    private func meanings<State>(
        _ states: [State], name: (State) -> String, meaning: (State) -> String
    ) -> String {
        states.map { "- `\(name($0))`: \(meaning($0))" }.joined(separator: "\n")
    }

    /// A row for each event, a column for each state from which any event leads on or which any reaches.
    private func table<State, Trigger>(
        _ table: TransitionTable<State, Trigger>, name: (State) -> String, event: (Trigger) -> String
    ) -> String {
        let states = Array(State.allCases)
        var rows = [["event"] + states.map { "`\(name($0))`" }, states.map { _ in "---" } + ["---"]]
        for trigger in Trigger.allCases {
            rows.append(
                [event(trigger)]
                    + states.map { state in
                        switch table[state, trigger] {
                        case .moves(let next): "`\(name(next))`"
                        case .stays: "·"
                        case .illegal: ""
                        }
                    })
        }
        return rows.map { "| \($0.joined(separator: " | ")) |" }.joined(separator: "\n")
    }
}

extension StepState {
    fileprivate var meaning: String {
        switch self {
        case .pending: "It waits for steps that it depends on. Once the last of them is complete it is enqueued."
        case .enqueued: "It may run as soon as a worker that offers its handler has a free place."
        case .inProgress: "An attempt runs, under the lease of its `attempt.started`. Only one runs at any time."
        case .waitingForRetry:
            "An attempt has failed and others are left. At the time in `retry.scheduled` it is enqueued."
        case .complete: "Its result is in the log. It never runs again, and what depends on it may go on."
        case .error:
            "It has failed for good: its attempts are used up, it may not be retried, or it was lost too often. Steps that "
                + "do not depend on it go on. An operator may retry it or resolve it by hand."
        case .skipped: "Kept for a later version. Nothing leads to it yet."
        case .cancelled: "Its task was cancelled before the step was final."
        case .resolvedManually:
            "An operator said that it is done, with a result or without one. For what depends on it this is as good as complete."
        }
    }
}

extension TaskState {
    fileprivate var meaning: String {
        switch self {
        case .pending: "It is submitted, and none of its steps has started."
        case .inProgress: "Some step is enqueued or runs."
        case .waitingForRetry: "No step is enqueued or runs, and at least one waits for its next attempt."
        case .blockedByFailures:
            "Nothing runs, nothing waits for a retry, and not all steps are done: at least one has failed for good. It stays open "
                + "until an operator retries or resolves steps, or cancels the task."
        case .paused:
            "An operator has paused it. Nothing of it starts, steps that become ready or come due wait, and what runs goes on. When "
                + "that completes the last step, the task is complete; else an operator lets it go on."
        case .complete: "All steps are complete or resolved by hand. The task is closed."
        case .error:
            "Kept for a later version. Nothing leads to it: a task whose step has failed is `blocked_by_failures`."
        case .cancelled:
            "An operator has cancelled it. The task is closed, and what its workers still report is rejected."
        case .resolvedManually:
            "Kept for a later version. Nothing leads to it: a task whose steps were resolved is `complete`."
        }
    }
}

extension StepMachine.Trigger {
    fileprivate var eventNames: String { "`\(dotted("\(self)"))`" }
}

extension TaskMachine.Trigger {
    fileprivate var eventNames: String {
        switch self {
        case .lateReport: "`attempt.stopped`, `result.rejected`"
        case .other: "any other event of the task"
        default: "`\(dotted("\(self)"))`"
        }
    }
}

/// The log's name of an event: `attemptTimedOut` becomes `attempt.timed_out`.
private func dotted(_ name: String) -> String {
    var words: [String] = []
    for character in name {
        if character.isUppercase || words.isEmpty { words.append("") }
        words[words.count - 1] += character.lowercased()
    }
    return words[0] + "." + words.dropFirst().joined(separator: "_")
}
