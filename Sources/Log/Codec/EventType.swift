package import StepwellModel

/// The kinds of events, as the log names and numbers them. Neither a name nor a number ever changes or is used again.
/// Facts have numbers below 64, decisions from 64.
package enum EventType: UInt8, CaseIterable, Sendable {
    case engineStarted = 1
    case engineStopped = 2
    case workerJoined = 3
    case workerLeft = 4
    case clockClamped = 5
    case engineDraining = 6
    case templateRegistered = 7
    case storePruned = 9
    case taskSubmitted = 10
    case attemptSucceeded = 11
    case attemptFailed = 12
    case attemptTimedOut = 13
    case attemptLost = 14
    case attemptStopped = 15
    case attemptCheckpointed = 16
    case resultRejected = 17
    case retryDue = 18
    case resultAdopted = 19
    case operatorRetried = 32
    case operatorCancelled = 33
    case operatorResolved = 34
    case operatorPaused = 35
    case operatorResumed = 36
    case limitSet = 40
    case limitRemoved = 41
    case limitDue = 42

    case stepEnqueued = 64
    case attemptStarted = 65
    case retryScheduled = 66
    case stepCompleted = 67
    case stepFailed = 68
    case stepReset = 69
    case stepResolved = 70
    case stepAdopted = 71
    case taskWaiting = 80
    case taskBlocked = 81
    case taskCompleted = 82
    case taskCancelled = 83

    package var number: Int { Int(rawValue) }

    package var isDecision: Bool { rawValue >= 64 }

    /// The version of the shape that this program writes. A shape that changes in a way that a missing or additional key
    /// cannot express gets the next number, and `EventUpcast` learns to read the old one.
    var version: Int { 1 }

    package var name: String {
        switch self {
        case .engineStarted: "engine.started"
        case .engineStopped: "engine.stopped"
        case .workerJoined: "worker.joined"
        case .workerLeft: "worker.left"
        case .clockClamped: "clock.clamped"
        case .engineDraining: "engine.draining"
        case .templateRegistered: "template.registered"
        case .storePruned: "store.pruned"
        case .taskSubmitted: "task.submitted"
        case .attemptSucceeded: "attempt.succeeded"
        case .attemptFailed: "attempt.failed"
        case .attemptTimedOut: "attempt.timed_out"
        case .attemptLost: "attempt.lost"
        case .attemptStopped: "attempt.stopped"
        case .attemptCheckpointed: "attempt.checkpointed"
        case .resultRejected: "result.rejected"
        case .retryDue: "retry.due"
        case .resultAdopted: "result.adopted"
        case .operatorRetried: "operator.retried"
        case .operatorCancelled: "operator.cancelled"
        case .operatorResolved: "operator.resolved"
        case .operatorPaused: "operator.paused"
        case .operatorResumed: "operator.resumed"
        case .limitSet: "limit.set"
        case .limitRemoved: "limit.removed"
        case .limitDue: "limit.due"
        case .stepEnqueued: "step.enqueued"
        case .attemptStarted: "attempt.started"
        case .retryScheduled: "retry.scheduled"
        case .stepCompleted: "step.completed"
        case .stepFailed: "step.failed"
        case .stepReset: "step.reset"
        case .stepResolved: "step.resolved"
        case .stepAdopted: "step.adopted"
        case .taskWaiting: "task.waiting"
        case .taskBlocked: "task.blocked"
        case .taskCompleted: "task.completed"
        case .taskCancelled: "task.cancelled"
        }
    }

    package init?(name: String) {
        guard let type = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = type
    }
}

extension Event {
    package var type: EventType {
        switch self {
        case .engineStarted: .engineStarted
        case .engineStopped: .engineStopped
        case .engineDraining: .engineDraining
        case .workerJoined: .workerJoined
        case .workerLeft: .workerLeft
        case .clockClamped: .clockClamped
        case .templateRegistered: .templateRegistered
        case .storePruned: .storePruned
        case .taskSubmitted: .taskSubmitted
        case .attemptSucceeded: .attemptSucceeded
        case .attemptFailed: .attemptFailed
        case .attemptTimedOut: .attemptTimedOut
        case .attemptLost: .attemptLost
        case .attemptStopped: .attemptStopped
        case .attemptCheckpointed: .attemptCheckpointed
        case .resultRejected: .resultRejected
        case .retryDue: .retryDue
        case .resultAdopted: .resultAdopted
        case .operatorRetried: .operatorRetried
        case .operatorCancelled: .operatorCancelled
        case .operatorResolved: .operatorResolved
        case .operatorPaused: .operatorPaused
        case .operatorResumed: .operatorResumed
        case .limitSet: .limitSet
        case .limitRemoved: .limitRemoved
        case .limitDue: .limitDue
        case .stepEnqueued: .stepEnqueued
        case .attemptStarted: .attemptStarted
        case .retryScheduled: .retryScheduled
        case .stepCompleted: .stepCompleted
        case .stepFailed: .stepFailed
        case .stepReset: .stepReset
        case .stepResolved: .stepResolved
        case .stepAdopted: .stepAdopted
        case .taskWaiting: .taskWaiting
        case .taskBlocked: .taskBlocked
        case .taskCompleted: .taskCompleted
        case .taskCancelled: .taskCancelled
        }
    }
}
