import StepwellModel

/// What a fact asks for is done at once: a result completes its step, a failure is followed by a retry or the step's end, what an
/// operator asked for happens.
enum Consequences: EventInvariant {
    static let name = "consequences"

    static func fault(in record: EventRecord, after ledger: Ledger) -> String? {
        // Decisions follow until all is done.
        record.isDecision ? nil : ledger.owed.first?.fault
    }
}

/// A decision that must follow from an event.
package struct Debt: Sendable {
    private enum Due {
        case complete, resolve, retryOrFail, enqueueOrFail, reset, enqueue, adopt, cancel
    }

    private let task: TaskID
    private let step: StepIndex?
    private let number: SequenceNumber
    private let due: Due

    /// What is owed after that event, if anything is.
    init?(_ record: EventRecord) {
        guard let task = record.task else { return nil }
        (self.task, number) = (task, record.number)
        switch record.event {
        case .attemptSucceeded(let attempt, _, _): (step, due) = (attempt.step, .complete)
        case .attemptFailed(let attempt, _), .attemptTimedOut(let attempt): (step, due) = (attempt.step, .retryOrFail)
        case .attemptLost(let attempt, _): (step, due) = (attempt.step, .enqueueOrFail)
        case .operatorResolved(let resolved, _, _): (step, due) = (resolved, .resolve)
        case .resultAdopted(let adopted): (step, due) = (adopted.step, .adopt)
        case .operatorCancelled: (step, due) = (nil, .cancel)
        case .operatorRetried(let steps, _): (step, due) = (steps.last, .reset)
        case .stepReset(let reset), .retryDue(let reset): (step, due) = (reset, .enqueue)
        default: return nil
        }
    }

    func isPaid(by record: EventRecord) -> Bool {
        guard record.task == task else { return false }
        return switch (due, record.event) {
        case (.complete, .stepCompleted(let step)), (.resolve, .stepResolved(let step)),
            (.adopt, .stepAdopted(let step)),
            (.retryOrFail, .retryScheduled(let step, _)), (.retryOrFail, .stepFailed(let step, _)),
            (.enqueueOrFail, .stepEnqueued(let step)), (.enqueueOrFail, .stepFailed(let step, _)),
            (.reset, .stepReset(let step)), (.enqueue, .stepEnqueued(let step)):
            step == self.step
        case (.cancel, .taskCancelled): true
        default: false
        }
    }

    var fault: String { "nothing follows from event \(number)" }
}
