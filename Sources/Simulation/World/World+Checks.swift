import StepwellEngine
import StepwellKernel
import StepwellLog
import StepwellModel

// Invariants that need more than the log and the state: what has left the engine, what a worker can read, what the rows of the
// store say.

extension World {
    /// Each attempt that was started in the turn is with its worker, once.
    func checkDeliveries(_ outbox: Outbox) throws(Violation) {
        var gone: [WorkerID] = []
        for record in outbox.records {
            if case .workerLeft(let worker, _) = record.event { gone.append(worker) }
        }
        var deliveries = outbox.deliveries[...]
        for record in outbox.records {
            guard case .attemptStarted(let start) = record.event else { continue }
            if let next = deliveries.first, next.attempt.lease == record.number {
                deliveries.removeFirst()
                guard next.task == record.task, next.attempt.step == start.step, next.deadline == start.deadline,
                    next.attempt.attempt == start.attempt, next.attempt.worker == start.worker
                else { throw effectFault("the attempt \(record.number) is delivered as another", record.number) }
            } else if !gone.contains(start.worker) {
                throw effectFault("the attempt \(record.number) is not delivered", record.number)
            }
        }
        if let extra = deliveries.first {
            throw effectFault("\(extra.attempt.lease) is delivered, and was not started just now", ledger.last)
        }
    }

    private func effectFault(_ message: String, _ number: SequenceNumber) -> Violation {
        Violation(invariant: "effects", message: message, number: number)
    }

    /// Whoever waits for a task hears of its end, or that it is blocked, once.
    func checkSettled(_ engine: EngineLife) throws(Violation) {
        var told = engine.outbox.settled[...]
        for record in engine.outbox.records {
            guard let task = record.task, let state = record.event.verdict else { continue }
            for _ in 0..<(engine.waiting.removeValue(forKey: task) ?? 0) {
                guard let next = told.popFirst(), next == (task, state) else {
                    throw Violation(
                        invariant: "waiters",
                        message: "somebody who waits for task \(task) does not hear that it is "
                            + state.name, number: record.number)
                }
            }
        }
        if let extra = told.first {
            throw Violation(
                invariant: "waiters", message: "the end of task \(extra.task) is told, and has not come just now",
                number: ledger.last)
        }
        // Questions are asked last in a turn.
        for task in engine.outbox.registered { engine.waiting[task, default: 0] += 1 }
    }

    /// When the engine stops, those who still wait hear that nothing will come.
    func checkForsaken(_ engine: EngineLife) throws(Violation) {
        var left = 0
        for (_, count) in engine.waiting { left += count }
        let told = engine.outbox.settled.count { $0.state == nil }
        guard told == left else {
            throw Violation(
                invariant: "waiters", message: "\(left) wait while the engine stops, and \(told) are told",
                number: ledger.last)
        }
    }

    /// What a worker reads is what was recorded.
    func readPayloads(_ assignment: Assignment) {
        guarded("payloads") {
            func fault(_ message: String) -> Violation {
                Violation(invariant: "payloads", message: message, number: assignment.attempt.lease)
            }
            guard try assignment.readSubmission().input == scenario.input else { throw fault("the input is another") }
            guard let place = ledger.place(assignment.task) else { throw fault("the task is unknown") }
            let checkpoint = ledger.tasks[place].steps[assignment.attempt.step].checkpoint
            guard assignment.checkpoint == checkpoint else {
                throw fault("the checkpoint is not that of \(checkpoint)")
            }
            _ = try assignment.readCheckpoint()
            for (index, step) in assignment.step.dependencies.enumerated() {
                let told = ledger.tasks[place].steps[step].result
                guard assignment.dependencyResults[index] == told else {
                    throw fault("the result of step \(step) is not that of event \(told)")
                }
                _ = try assignment.readDependencyResult(index)
            }
        }
    }

    /// The scheduler decides the same again.
    func decideAgain(_ log: SimulatedLog) throws {
        var check = DecisionCheck()
        var closed: [TaskID: TaskSummary] = [:]
        var ends = log.commits[...]
        do {
            try log.events(after: .zero, payloads: .included) { record in
                if case .taskSubmitted(let submission) = record.event,
                    let template = try log.template(submission.template)
                {
                    check.adopt(Plan(template, digest: submission.template))
                }
                try check.take(record, closed: record.task.flatMap { closed[$0] })
                guard record.number == ends.first?.number else { return true }
                ends.removeFirst()
                for task in try check.endCommit() where task.state.isClosed { closed[task.id] = task }
                return true
            }
        } catch let error as DecisionError {
            throw Violation(invariant: "same-decisions", message: "\(error)", number: ledger.last)
        }
    }

    /// The rows beside the events say what the events say.
    func checkIndexes(_ log: SimulatedLog) throws {
        func fault(_ message: String) -> Violation {
            Violation(invariant: "index", message: message, number: ledger.last)
        }
        let open = try log.openTasks()
        let state = try Recovery.fold(log).state
        guard open == state.openTasks.map(\.summary) else {
            throw fault("the rows of the open tasks are not their fold")
        }
        guard log.tasks.count == ledger.tasks.count else { throw fault("a task too many or too few has a row") }
        for task in ledger.tasks {
            guard let row = try log.task(task.id) else { throw fault("task \(task.id) has no row") }
            guard row.first == task.first, row.last == task.last, row.eventCount == task.eventCount,
                row.changed == task.changed, row.submitted == task.submitted, row.state.isClosed == task.isClosed,
                row.stepsDone == task.steps.count(where: \.isSatisfied)
            else { throw fault("the row of task \(task.id) is not what its events say") }
            if let key = task.submission.key {
                let owner = try log.task(
                    namespace: task.submission.namespace, name: task.submission.name, key: key)
                guard owner == ledger.owner(of: task.submission) else {
                    throw fault("the key '\(key)' names another task than the newest")
                }
            }
        }
    }
}

extension Event {
    /// The state of a task that whoever waits for it hears of.
    fileprivate var verdict: TaskState? {
        switch self {
        case .taskCompleted: .complete
        case .taskCancelled: .cancelled
        case .taskBlocked: .blockedByFailures
        default: nil
        }
    }
}
