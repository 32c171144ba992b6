package import StepwellModel

/// What can happen to a task.
package enum TaskMachine {
    /// The events that can move a task. All others leave it where it is.
    package enum Trigger: Int, Hashable, Sendable, CaseIterable {
        case stepEnqueued, attemptStarted, taskWaiting, taskBlocked, taskCompleted, taskCancelled
        case operatorPaused, operatorResumed
        /// `attempt.stopped` and `result.rejected`, which a closed task may still see.
        case lateReport
        /// Every other event of the task.
        case other
    }

    package static let table = TransitionTable<TaskState, Trigger>(
        [
            .init(from: [.pending, .inProgress, .paused], on: [.stepEnqueued], to: .stays),
            .init(from: [.waitingForRetry, .blockedByFailures], on: [.stepEnqueued], to: .moves(to: .inProgress)),
            .init(from: [.pending], on: [.attemptStarted], to: .moves(to: .inProgress)),
            .init(from: [.inProgress], on: [.attemptStarted], to: .stays),
            .init(
                from: [.pending, .inProgress, .blockedByFailures], on: [.taskWaiting],
                to: .moves(to: .waitingForRetry)),
            .init(
                from: [.pending, .inProgress, .waitingForRetry], on: [.taskBlocked],
                to: .moves(to: .blockedByFailures)),
            .init(from: open, on: [.taskCompleted], to: .moves(to: .complete)),
            .init(from: open, on: [.taskCancelled], to: .moves(to: .cancelled)),
            .init(
                from: [.pending, .inProgress, .waitingForRetry, .blockedByFailures], on: [.operatorPaused],
                to: .moves(to: .paused)),
            .init(from: [.paused], on: [.operatorResumed], to: .moves(to: .inProgress)),
            .init(from: open, on: [.other], to: .stays),
            .init(from: TaskState.allCases, on: [.lateReport], to: .stays),
        ])

    package static let open: [TaskState] = [.pending, .inProgress, .waitingForRetry, .blockedByFailures, .paused]
}
