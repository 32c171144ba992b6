package import StepwellModel

/// What can happen to a step.
///
/// An attempt's end is a fact and leaves the step `in_progress`; the decision that follows in the same commit moves it on.
package enum StepMachine {
    /// The events that a step sees.
    package enum Trigger: Int, Hashable, Sendable, CaseIterable {
        case stepEnqueued, attemptStarted, attemptSucceeded, attemptFailed, attemptTimedOut, attemptLost
        case attemptCheckpointed, attemptStopped, resultRejected, retryScheduled, retryDue
        case stepCompleted, stepFailed, stepReset, operatorResolved, stepResolved, resultAdopted, stepAdopted
        case taskCancelled
    }

    package static let table = TransitionTable<StepState, Trigger>(
        [
            .init(from: [.pending, .waitingForRetry, .inProgress], on: [.stepEnqueued], to: .moves(to: .enqueued)),
            .init(from: [.enqueued], on: [.attemptStarted], to: .moves(to: .inProgress)),
            .init(
                from: [.inProgress],
                on: [.attemptSucceeded, .attemptFailed, .attemptTimedOut, .attemptLost, .attemptCheckpointed],
                to: .stays),
            .init(from: [.inProgress], on: [.stepCompleted], to: .moves(to: .complete)),
            .init(from: [.inProgress], on: [.stepFailed], to: .moves(to: .error)),
            .init(from: [.inProgress], on: [.retryScheduled], to: .moves(to: .waitingForRetry)),
            .init(from: [.waitingForRetry], on: [.retryDue], to: .stays),
            .init(from: [.error], on: [.stepReset], to: .moves(to: .pending)),
            .init(from: resolvable, on: [.operatorResolved], to: .stays),
            .init(from: resolvable, on: [.stepResolved], to: .moves(to: .resolvedManually)),
            .init(from: [.pending], on: [.resultAdopted], to: .stays),
            .init(from: [.pending], on: [.stepAdopted], to: .moves(to: .complete)),
            .init(
                from: [.pending, .enqueued, .inProgress, .waitingForRetry], on: [.taskCancelled],
                to: .moves(to: .cancelled)),
            .init(from: [.complete, .error, .skipped, .resolvedManually], on: [.taskCancelled], to: .stays),
            // What comes late from a worker changes no step.
            .init(from: StepState.allCases, on: [.attemptStopped, .resultRejected], to: .stays),
        ])

    /// The states from which an operator may resolve a step by hand.
    package static let resolvable: [StepState] = [.pending, .enqueued, .waitingForRetry, .error]
}
