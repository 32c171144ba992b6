import StepwellKernel
import StepwellModel

/// Events as a reader would tell them: `attempt.started load/2 on 1`.
struct Lines {
    var template: (TaskID) -> Template?
    /// What is said before the events of a task.
    var label: (TaskID) -> String = { _ in "" }

    func line(_ record: EventRecord) -> String {
        let label = record.task.map(label) ?? ""
        let text = text(record.event, step: { name($0, of: record.task) }, time: record.time)
        return label.isEmpty ? text : "\(label): \(text)"
    }

    func line(_ effect: Effect) -> String? {
        switch effect {
        case .deliver(let delivery):
            "deliver \(name(delivery.attempt.step, of: delivery.task))/\(delivery.attempt.attempt) "
                + "to \(delivery.attempt.worker.rawValue)"
        case .stop(let lease, let worker, let timedOut):
            "stop \(lease) on \(worker.rawValue)\(timedOut ? ": timed out" : "")"
        case .reject(let lease, let worker, let reason): "reject \(lease) on \(worker.rawValue): \(reason.name)"
        case .settled(_, let state): "settled \(state.name)"
        }
    }

    private func name(_ step: StepIndex, of task: TaskID?) -> String {
        guard let steps = task.flatMap(template)?.steps, steps.indices.contains(step) else { return "step \(step)" }
        return steps[step].name
    }

    private func text(_ event: Event, step: (StepIndex) -> String, time: Timestamp) -> String {
        func attempt(_ id: AttemptID) -> String { "\(step(id.step))/\(id.attempt)" }
        return switch event {
        case .engineStarted: "engine.started"
        case .engineDraining: "engine.draining"
        case .engineStopped: "engine.stopped"
        case .workerJoined(let join): "worker.joined \(join.worker.rawValue)"
        case .workerLeft(let worker, _): "worker.left \(worker.rawValue)"
        case .clockClamped: "clock.clamped"
        case .storePruned: "store.pruned"
        case .templateRegistered: "template.registered"
        case .limitSet(let change): "limit.set \(change.setting.target)"
        case .limitRemoved(let removal): "limit.removed \(removal.target)"
        case .limitDue(let limit): "limit.due \(limit)"
        case .taskSubmitted: "task.submitted"
        case .attemptSucceeded(let id, _, _): "attempt.succeeded \(attempt(id))"
        case .attemptFailed(let id, _): "attempt.failed \(attempt(id))"
        case .attemptTimedOut(let id): "attempt.timed_out \(attempt(id))"
        case .attemptLost(let id, let reason): "attempt.lost \(attempt(id)): \(reason.name)"
        case .attemptStopped(let id): "attempt.stopped \(attempt(id))"
        case .attemptCheckpointed(let id, _): "attempt.checkpointed \(attempt(id))"
        case .resultRejected(let id, let rejected): "result.rejected \(attempt(id)): \(rejected.reason.name)"
        case .retryDue(let index): "retry.due \(step(index))"
        case .resultAdopted(let adopted): "result.adopted \(step(adopted.step))"
        case .operatorRetried(let steps, _): "operator.retried \(steps.map(step).joined(separator: " "))"
        case .operatorCancelled: "operator.cancelled"
        case .operatorPaused: "operator.paused"
        case .operatorResumed: "operator.resumed"
        case .operatorResolved(let index, _, _): "operator.resolved \(step(index))"
        case .stepEnqueued(let index): "step.enqueued \(step(index))"
        case .attemptStarted(let start):
            "attempt.started \(step(start.step))/\(start.attempt) on \(start.worker.rawValue)"
        case .retryScheduled(let index, let due): "retry.scheduled \(step(index)) in \((due - time).rawValue) ms"
        case .stepCompleted(let index): "step.completed \(step(index))"
        case .stepFailed(let index, let reason): "step.failed \(step(index)): \(reason.name)"
        case .stepReset(let index): "step.reset \(step(index))"
        case .stepResolved(let index): "step.resolved \(step(index))"
        case .stepAdopted(let index): "step.adopted \(step(index))"
        case .taskWaiting: "task.waiting"
        case .taskBlocked: "task.blocked"
        case .taskCompleted: "task.completed"
        case .taskCancelled: "task.cancelled"
        }
    }
}
