import StepwellModel

/// The log has no gap, and each task's events are linked.
enum GapFree: EventInvariant {
    static let name = "gap-free"

    static func fault(in record: EventRecord, after ledger: Ledger) -> String? {
        guard record.number == ledger.last.next else { return "\(record.number) follows \(ledger.last)" }
        guard let id = record.task else {
            return record.taskNumber == 0 && record.previous == .zero
                ? nil : "an event of the engine has a place in a task"
        }
        guard let task = ledger.task(id) else {
            if case .taskSubmitted = record.event { return nil }
            return "\(record.event) is about a task that was never submitted"
        }
        if case .taskSubmitted = record.event { return "the task \(id) is submitted twice" }
        guard record.previous == task.last else { return "\(record.previous) is not the task's event before" }
        return record.taskNumber == task.eventCount + 1 ? nil : "\(record.taskNumber) is not the task's next number"
    }
}

/// The time of the log never goes back.
enum TimeOrder: EventInvariant {
    static let name = "time"

    static func fault(in record: EventRecord, after ledger: Ledger) -> String? {
        record.time >= ledger.time ? nil : "the time goes back from \(ledger.time) to \(record.time)"
    }
}

/// A decision names the fact that it follows from; a fact has somebody who told it.
enum Causes: EventInvariant {
    static let name = "causes"

    static func fault(in record: EventRecord, after ledger: Ledger) -> String? {
        if let isFact = record.event.isFact, isFact == record.isDecision { return "\(record.event) has a wrong cause" }
        if record.isDecision, record.cause != ledger.lastFact {
            return "\(record.event) names \(record.cause) as its cause, not the fact before it"
        }
        return (record.actor == .scheduler) == record.isDecision ? nil : "\(record.actor) did \(record.event)"
    }
}

/// After a task's end only late reports come.
enum ClosedTasks: EventInvariant {
    static let name = "closed-tasks"

    static func fault(in record: EventRecord, after ledger: Ledger) -> String? {
        guard let place = ledger.place(record.task), ledger.tasks[place].isClosed else { return nil }
        switch record.event {
        case .attemptStopped, .resultRejected: return nil
        default: return "\(record.event) comes after the task's end"
        }
    }
}

/// A step starts when all that it depends on is satisfied; a task is complete when all steps are.
enum Dependencies: EventInvariant {
    static let name = "dependencies"

    static func fault(in record: EventRecord, after ledger: Ledger) -> String? {
        guard let place = ledger.place(record.task) else { return nil }
        switch record.event {
        case .attemptStarted(let start):
            let open = ledger.tasks[place].template.steps[start.step].dependencies.first {
                !ledger.tasks[place].steps[$0].isSatisfied
            }
            return open.map { "step \(start.step) starts before step \($0), on which it depends, is complete" }
        case .taskCompleted:
            let open = ledger.tasks[place].steps.firstIndex { !$0.isSatisfied }
            return open.map { "the task is complete, and its step \($0) is not" }
        default: return nil
        }
    }
}

/// A step has one accepted result, and never runs again once it has it.
enum OneResult: EventInvariant {
    static let name = "one-result"

    static func fault(in record: EventRecord, after ledger: Ledger) -> String? {
        guard let place = ledger.place(record.task) else { return nil }
        func isSatisfied(_ step: StepIndex) -> Bool { ledger.tasks[place].steps[step].isSatisfied }
        switch record.event {
        case .attemptSucceeded(let attempt, _, _):
            return isSatisfied(attempt.step) || ledger.tasks[place].steps[attempt.step].result != .zero
                ? "a second result of step \(attempt.step) is accepted" : nil
        case .stepCompleted(let step):
            if isSatisfied(step) { return "step \(step) is complete twice" }
            return ledger.tasks[place].steps[step].result == .zero ? "step \(step) is complete without a result" : nil
        case .stepResolved(let step): return isSatisfied(step) ? "step \(step) is complete twice" : nil
        case .attemptStarted(let start):
            return isSatisfied(start.step) ? "step \(start.step) runs again though it is complete" : nil
        default: return nil
        }
    }
}

/// A fork takes over the results that its submission names, at once, and runs none of their steps.
enum Adoption: EventInvariant {
    static let name = "adoption"

    static func fault(in record: EventRecord, after ledger: Ledger) -> String? {
        guard let place = ledger.place(record.task) else { return nil }
        let task = ledger.tasks[place]
        switch record.event {
        case .resultAdopted(let adopted):
            guard let origin = ledger.task(task.submission.forkedFrom),
                task.submission.adopted.contains(adopted.step)
            else { return "step \(adopted.step) adopts a result that nobody has named" }
            guard origin.steps[adopted.step].result == adopted.origin else {
                return "step \(adopted.step) adopts another result than that of the task that is forked"
            }
            return task.steps[adopted.step].isSatisfied ? "step \(adopted.step) adopts a result twice" : nil
        case .stepAdopted(let step):
            return task.steps[step].result == .zero ? "step \(step) is adopted without a result" : nil
        case .attemptStarted(let start):
            return task.submission.adopted.contains(start.step)
                ? "step \(start.step) runs though its result is adopted" : nil
        default: return nil
        }
    }
}

/// Attempts are counted, and there are no more of them, nor of losses, than the policy allows.
enum Attempts: EventInvariant {
    static let name = "attempts"

    static func fault(in record: EventRecord, after ledger: Ledger) -> String? {
        guard let place = ledger.place(record.task) else { return nil }
        func policy(_ step: StepIndex) -> RetryPolicy { ledger.tasks[place].template.steps[step].retry }
        switch record.event {
        case .attemptStarted(let start):
            let step = ledger.tasks[place].steps[start.step]
            guard start.attempt == step.failureCount + 1 else {
                return "step \(start.step) starts attempt \(start.attempt) after \(step.failureCount) failures"
            }
            if step.failure != nil { return "step \(start.step) starts though it has failed for good" }
            guard start.attempt <= policy(start.step).attemptsMax else {
                return "step \(start.step) starts attempt \(start.attempt) of \(policy(start.step).attemptsMax)"
            }
            return step.lossCount < policy(start.step).lossesMax
                ? nil : "step \(start.step) starts after \(step.lossCount) losses"
        case .stepFailed(let step, let reason):
            let (found, policy) = (ledger.tasks[place].steps[step], policy(step))
            return switch reason {
            case .attemptsExhausted where found.failureCount < policy.attemptsMax:
                "step \(step) gives up after \(found.failureCount) of \(policy.attemptsMax) attempts"
            case .notRetryable where policy.retryable && !found.lastFailureIsFinal:
                "step \(step) gives up though another attempt may help"
            case .lossesExhausted where found.lossCount < policy.lossesMax:
                "step \(step) gives up after \(found.lossCount) of \(policy.lossesMax) losses"
            default: nil
            }
        default: return nil
        }
    }
}

/// A lease is held by one attempt, and only the attempt that holds it has a say.
enum Leases: EventInvariant {
    static let name = "leases"

    static func fault(in record: EventRecord, after ledger: Ledger) -> String? {
        guard let place = ledger.place(record.task) else { return nil }
        switch record.event {
        case .attemptStarted(let start):
            return ledger.tasks[place].steps[start.step].running.map { "step \(start.step) runs already, under \($0)" }
        case .attemptSucceeded(let attempt, _, _), .attemptFailed(let attempt, _), .attemptTimedOut(let attempt),
            .attemptLost(let attempt, _), .attemptCheckpointed(let attempt, _):
            guard ledger.tasks[place].steps[attempt.step].running == attempt.lease else {
                return "the attempt with the lease \(attempt.lease) does not run"
            }
            return ledger.held[attempt.lease] == attempt ? nil : "\(attempt) is not the attempt that was started"
        case .resultRejected(let attempt, _):
            let step = ledger.tasks[place].steps.indices.contains(attempt.step) ? attempt.step : 0
            return ledger.tasks[place].steps[step].running == attempt.lease
                ? "a report is rejected though its attempt runs" : nil
        default: return nil
        }
    }
}

/// Attempts go to workers that are there, offer the handler and have a free place; none when the engine is being stopped, and
/// only those of the task that it works on.
enum Workers: EventInvariant {
    static let name = "workers"

    static func fault(in record: EventRecord, after ledger: Ledger) -> String? {
        guard let place = ledger.place(record.task), case .attemptStarted(let start) = record.event else { return nil }
        guard let worker = ledger.worker(start.worker) else { return "\(start.worker) is not there" }
        guard
            worker.join.serves(
                ledger.tasks[place].template.steps[start.step].handler, in: ledger.tasks[place].submission.namespace)
        else {
            return "\(start.worker) does not offer the handler of step \(start.step)"
        }
        guard worker.busy < worker.join.slots else { return "\(start.worker) has no free place" }
        if ledger.isStopping { return "an attempt starts while the engine stops" }
        if let focus = ledger.focus, focus != record.task { return "an attempt of another task than \(focus) starts" }
        return nil
    }
}

/// Nothing of a paused task starts, and nothing is said of it but its end.
enum Pauses: EventInvariant {
    static let name = "pauses"

    static func fault(in record: EventRecord, after ledger: Ledger) -> String? {
        guard let task = ledger.task(record.task) else { return nil }
        switch record.event {
        case .attemptStarted(let start) where task.isPaused:
            return "step \(start.step) starts though its task is paused"
        case .taskWaiting where task.isPaused, .taskBlocked where task.isPaused:
            return "\(record.event) of a task that is paused"
        case .operatorPaused where task.isPaused: return "a task is paused twice"
        case .operatorResumed where !task.isPaused: return "a pause ends that there was not"
        default: return nil
        }
    }
}

/// A retry waits as long as its policy says, and is not due before.
enum Waits: EventInvariant {
    static let name = "waits"

    static func fault(in record: EventRecord, after ledger: Ledger) -> String? {
        guard let place = ledger.place(record.task) else { return nil }
        switch record.event {
        case .retryDue(let step):
            guard let due = ledger.tasks[place].steps[step].due else { return "no retry of step \(step) is scheduled" }
            return due <= record.time ? nil : "the retry of step \(step) is due at \(due) only"
        case .retryScheduled(let step, let due):
            let policy = ledger.tasks[place].template.steps[step].retry
            guard policy.retryable, !ledger.tasks[place].steps[step].lastFailureIsFinal else {
                return "step \(step) is to be retried though its failure is final"
            }
            return record.time <= due && due <= record.time.advanced(by: policy.maximumDelay)
                ? nil : "the retry of step \(step) is due at \(due)"
        case .attemptStarted(let start):
            let timeout = ledger.tasks[place].template.steps[start.step].timeout
            return start.deadline == timeout.map { record.time.advanced(by: $0) }
                ? nil : "step \(start.step) has the deadline \(start.deadline.map(\.description) ?? "none")"
        case .attemptTimedOut(let attempt):
            guard let due = ledger.tasks[place].steps[attempt.step].due else {
                return "step \(attempt.step) has no time that could be over"
            }
            return due <= record.time ? nil : "the time of step \(attempt.step) is over at \(due) only"
        default: return nil
        }
    }
}

/// Of the steps that wait for the worker, those of the namespace go first of which nothing has started for the longest time, and
/// of them the first by priority and age.
enum Order: EventInvariant {
    static let name = "order"

    static func fault(in record: EventRecord, after ledger: Ledger) -> String? {
        guard let place = ledger.place(record.task), case .attemptStarted(let start) = record.event,
            let worker = ledger.worker(start.worker), let number = ledger.tasks[place].steps[start.step].enqueued
        else { return nil }
        let started = Ledger.Waiting(
            task: place, step: start.step, priority: ledger.tasks[place].submission.priority, number: number)
        for other in ledger.waiting {
            let namespace = ledger.tasks[other.task].submission.namespace
            guard ledger.goes(other, before: started), ledger.surelyAllows(other, at: record.time),
                ledger.focus == nil || ledger.focus == ledger.tasks[other.task].id,
                !ledger.tasks[other.task].isPaused,
                worker.join.serves(ledger.tasks[other.task].template.steps[other.step].handler, in: namespace)
            else { continue }
            return "step \(start.step) starts, which was enqueued by \(number), before the one of \(other.number)"
        }
        return nil
    }
}

extension Event {
    /// What the outside world told, in contrast to what the scheduler made of it; nil for what may be either.
    fileprivate var isFact: Bool? {
        switch self {
        case .engineStarted, .engineDraining, .engineStopped, .workerJoined, .workerLeft, .clockClamped, .storePruned,
            .templateRegistered, .limitSet, .limitRemoved, .limitDue, .taskSubmitted,
            .attemptSucceeded, .attemptFailed, .attemptTimedOut, .attemptStopped, .attemptCheckpointed,
            .resultRejected, .retryDue, .resultAdopted, .operatorRetried, .operatorCancelled, .operatorResolved,
            .operatorPaused, .operatorResumed:
            true
        // Lost with its worker, it follows from the worker's end; given back by its runner, it is a report.
        case .attemptLost: nil
        default: false
        }
    }
}
