import StepwellKernel
import StepwellModel

/// The tasks that are open are those of which the log tells it, and each stands at its last event.
enum OpenTasks: StateInvariant {
    static let name = "open-tasks"

    static func fault(in content: StateContent, at ledger: Ledger) -> String? {
        let open = ledger.tasks.filter { !$0.isClosed }.sorted { $0.id < $1.id }
        guard content.tasks.map(\.summary.id) == open.map(\.id) else {
            return "other tasks are open than the log tells"
        }
        for (task, told) in zip(content.tasks, open) {
            guard task.summary.last == told.last, task.summary.eventCount == told.eventCount else {
                return "task \(told.id) does not stand at its last event"
            }
            guard task.ownsKey == (told.submission.key != nil && ledger.owner(of: told.submission) == told.id) else {
                return "task \(told.id) and its key are at odds"
            }
        }
        return nil
    }
}

/// The counts of a task's steps, and its state, say what its steps are.
enum Counts: StateInvariant {
    static let name = "counts"

    static func fault(in content: StateContent, at ledger: Ledger) -> String? {
        for task in content.tasks {
            func count(_ states: StepState...) -> Int { task.steps.count { states.contains($0.state) } }
            let (active, waiting) = (count(.enqueued, .inProgress), count(.waitingForRetry))
            let (done, failed) = (count(.complete, .resolvedManually), count(.error))
            guard
                [task.active, task.waiting, task.summary.stepsDone, task.summary.stepsFailed]
                    == [active, waiting, done, failed]
            else { return "the counts of task \(task.summary.id) are wrong" }
            let hasStarted = ledger.task(task.summary.id)?.hasStarted ?? false
            let isPaused = ledger.task(task.summary.id)?.isPaused ?? false
            let state: TaskState =
                if isPaused { .paused } else if active > 0 { hasStarted ? .inProgress : .pending } else if waiting > 0 {
                    .waitingForRetry
                } else { .blockedByFailures }
            guard task.summary.state == state else {
                return "task \(task.summary.id) is \(task.summary.state.name), and its steps say \(state.name)"
            }
            // Nothing runs, nothing waits: then something must have failed.
            if state == .blockedByFailures, failed == 0 { return "task \(task.summary.id) is blocked by nothing" }
        }
        return nil
    }
}

/// Each step is where its events have brought it, and none is forgotten that could go on.
enum StepStates: StateInvariant {
    static let name = "steps"

    static func fault(in content: StateContent, at ledger: Ledger) -> String? {
        for task in content.tasks {
            guard let place = ledger.place(task.summary.id) else { continue }
            for (index, step) in task.steps.enumerated() {
                let told = ledger.tasks[place].steps[index]
                var remaining = 0
                for dependency in ledger.tasks[place].template.steps[index].dependencies
                where !ledger.tasks[place].steps[dependency].isSatisfied {
                    remaining += 1
                }
                guard Int(step.remaining) == remaining else {
                    return "step \(index) waits for \(step.remaining) steps, not for \(remaining)"
                }
                if step.state == .pending, remaining == 0 { return "step \(index) is forgotten" }
                guard step.state.satisfiesDependents == told.isSatisfied,
                    (step.state == .inProgress) == (told.running != nil),
                    (step.state == .enqueued) == (told.enqueued != nil),
                    (step.state == .error) == (told.failure != nil)
                else { return "step \(index) is \(step.state.name), and the log tells otherwise" }
            }
        }
        return nil
    }
}

/// What waits for a time has a timer.
enum Timers: StateInvariant {
    static let name = "timers"

    static func fault(in content: StateContent, at ledger: Ledger) -> String? {
        // The event that armed a timer names its step.
        var armed = Set<SequenceNumber>(minimumCapacity: content.timers.count)
        for timer in content.timers { armed.insert(timer.number) }
        for task in content.tasks {
            for (index, step) in task.steps.enumerated() {
                let waits = step.state == .waitingForRetry || step.state == .inProgress && step.due != .never
                if waits, !armed.contains(step.since) {
                    return "nothing will wake step \(index) of task \(task.summary.id)"
                }
            }
        }
        return nil
    }
}

/// Each worker has as many attempts as the log tells.
enum BusyWorkers: StateInvariant {
    static let name = "busy-workers"

    static func fault(in content: StateContent, at ledger: Ledger) -> String? {
        guard content.workers.count == ledger.workers.count else { return "a worker too many or too few" }
        for worker in content.workers {
            let busy = ledger.worker(worker.join.worker)?.busy
            guard worker.busy == busy else {
                return "\(worker.join.worker) has \(worker.busy) attempts, and the log tells of \(busy ?? 0)"
            }
        }
        return nil
    }
}

/// No step waits while a worker for it is free, unless a limit holds it.
enum NothingIdles: StateInvariant {
    static let name = "nothing-idles"

    static func fault(in content: StateContent, at ledger: Ledger) -> String? {
        guard !content.isStopping else { return nil }
        let free = content.workers.filter { $0.busy < $0.join.slots }
        guard !free.isEmpty else { return nil }
        for waiting in ledger.waiting {
            let task = ledger.tasks[waiting.task]
            guard content.focus == nil || content.focus == task.id, !task.isPaused else { continue }
            let handler = task.template.steps[waiting.step].handler
            guard ledger.limits.surelyAllow(task.submission.namespace, handler, at: content.time) else { continue }
            if free.contains(where: { $0.join.serves(handler, in: task.submission.namespace) }) {
                return "step \(waiting.step) of task \(task.id) waits though a worker is free"
            }
        }
        return nil
    }
}
