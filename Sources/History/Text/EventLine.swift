import StepwellLog
import StepwellModel

extension EventRecord {
    /// The event as one line for people, whatever those have written who are quoted in it.
    package func line(_ steps: [String]?) -> String {
        let task = self.task.map { "  \($0.short)" } ?? ""
        let cause = isDecision ? "  ← \(cause)" : ""
        let detail = event.detail(steps)
        return "\(number)  \(time)\(task)  \(event.type.name)\(detail.isEmpty ? "" : "  \(detail.printable)")\(cause)"
    }

    /// The event as one line of JSON.
    package func jsonLine(_ steps: [String]?) -> String {
        String(decoding: EventJSON.line(self) { steps?[$0] }, as: UTF8.self)
    }
}

extension Event {
    /// What the event is about, in a few words.
    fileprivate func detail(_ steps: [String]?) -> String {
        func name(_ step: StepIndex) -> String {
            steps.flatMap { $0.indices.contains(step) ? $0[step] : nil } ?? "step \(step)"
        }
        switch self {
        case .engineStarted(let start):
            return "stepwell \(start.version), process \(start.processID) on \(start.host)"
                + (start.focus.map { ", for task \($0.short) alone" } ?? "") + (start.reason.map { ": \($0)" } ?? "")
        case .workerJoined(let join):
            let handlers = join.handlers.map(\.name).listed
            return "\(join.name) as \(join.worker), \(join.slots) at a time" + (handlers.isEmpty ? "" : ": \(handlers)")
        case .workerLeft(let worker, let reason): return "\(worker): \(reason)"
        case .templateRegistered(let registration):
            return "\(registration.namespace)/\(registration.name) \(registration.version)"
        case .storePruned(let pruning):
            return "\(pruning.taskCount) tasks that had ended before \(pruning.before), \(pruning.eventCount) events"
                + (pruning.reason.map { ": \($0)" } ?? "")
        case .limitSet(let change):
            return "\(change.setting.target): \(change.setting.words)" + (change.reason.map { ": \($0)" } ?? "")
        case .limitRemoved(let removal): return "\(removal.target)" + (removal.reason.map { ": \($0)" } ?? "")
        case .limitDue(let limit): return "of \(limit)"
        case .clockClamped(let observed, let used):
            return "the clock was set back to \(observed), the log goes on from \(used)"
        case .taskSubmitted(let submission):
            return "\(submission.namespace)/\(submission.name) \(submission.version)"
                + (submission.key.map { " key \($0)" } ?? "")
                + (submission.forkedFrom.map { " forked from \($0)" } ?? "")
        case .attemptSucceeded(let attempt, let result, _):
            return "\(name(attempt.step)) #\(attempt.attempt), \(result.bytes.count) bytes"
        case .attemptFailed(let attempt, let failure):
            return "\(name(attempt.step)) #\(attempt.attempt): \(failure.message.cut(to: 300)) [\(failure.errorType)]"
        case .attemptTimedOut(let attempt), .attemptStopped(let attempt), .attemptCheckpointed(let attempt, _):
            return "\(name(attempt.step)) #\(attempt.attempt)"
        case .attemptLost(let attempt, let reason): return "\(name(attempt.step)) #\(attempt.attempt): \(reason.name)"
        case .resultRejected(let attempt, let rejected):
            return "\(name(attempt.step)) #\(attempt.attempt): \(rejected.reason.name)"
        case .retryDue(let step), .stepEnqueued(let step), .stepCompleted(let step), .stepReset(let step),
            .stepResolved(let step), .stepAdopted(let step):
            return name(step)
        case .resultAdopted(let adopted):
            return name(adopted.step) + (adopted.origin == .zero ? ", a given result" : " from \(adopted.origin)")
        case .operatorRetried(let chosen, let reason):
            return chosen.map(name).listed + (reason.map { ": \($0)" } ?? "")
        case .operatorCancelled(let reason), .operatorPaused(let reason), .operatorResumed(let reason):
            return reason ?? ""
        case .operatorResolved(let step, _, let reason): return name(step) + (reason.map { ": \($0)" } ?? "")
        case .attemptStarted(let start): return "\(name(start.step)) #\(start.attempt) on \(start.worker)"
        case .retryScheduled(let step, let due): return "\(name(step)) at \(due)"
        case .stepFailed(let step, let reason): return "\(name(step)): \(reason.sentence)"
        case .engineDraining, .engineStopped, .taskWaiting, .taskBlocked, .taskCompleted, .taskCancelled: return ""
        }
    }
}
