import StepwellKernel
import StepwellLog
package import StepwellModel

extension World {
    /// The whole engine as one JSON object. `docs/cli.md` lists the members.
    package var json: JSON {
        [
            "seq": .number(String(events.rawValue)), "time": .string(time.description),
            "engine_started": engineStarted == .zero ? .null : .number(String(engineStarted.rawValue)),
            "stopping": .bool(isStopping), "focus": focus.map { .string($0.description) } ?? .null,
            "counts": .object(counts.map { .init($0.state.name, .number(String($0.count))) }),
            "tasks": .array(tasks.map(json)), "running": .array(attempts.map(json)),
            "queue": .array(queue.map(queued)), "timers": .array(timers.map(timer)),
            "workers": .array(workers.map(json)), "limits": .array(limits.map(json)),
        ]
    }

    private func json(_ limit: LimitUse) -> JSON {
        [
            "scope": .string(limit.setting.target.scope.name), "name": .string(limit.setting.target.name),
            "concurrency_max": limit.setting.concurrencyMax.map { .number(String($0)) } ?? .null,
            "rate": limit.setting.rate.map { .string($0.description) } ?? .null,
            "burst": limit.setting.rate.map { .number(String($0.burst)) } ?? .null,
            "running": .number(String(limit.running)), "waiting": .number(String(limit.waiting)),
            "event": .number(String(limit.number.rawValue)),
        ]
    }

    private func json(_ task: TaskSummary) -> JSON {
        [
            "task_id": .string(task.id.description), "namespace": .string(task.namespace), "name": .string(task.name),
            "version": .string(task.version), "key": task.key.map(JSON.string) ?? .null,
            "state": .string(task.state.name), "priority": .number(String(task.priority)),
            "submitted_at": .string(task.submitted.description), "changed_at": .string(task.changed.description),
            "steps": .number(String(task.stepCount)), "steps_done": .number(String(task.stepsDone)),
            "steps_failed": .number(String(task.stepsFailed)),
        ]
    }

    private func json(_ attempt: Attempt) -> JSON {
        [
            "task_id": .string(attempt.task.description), "step": .string(attempt.step),
            "attempt": .number(String(attempt.id.attempt)), "lease": .number(String(attempt.id.lease.rawValue)),
            "worker": (attempt.worker?.name).map(JSON.string) ?? .null,
            "deadline": attempt.deadline.map { .string($0.description) } ?? .null,
            "given_up": attempt.givenUp.map { .string($0.name) } ?? .null,
        ]
    }

    private func queued(_ entry: Entry) -> JSON {
        let plan = state[entry.task]?.plan
        return [
            "task_id": .string(entry.task.description), "step": .string(entry.step),
            "enqueued": .number(String(entry.number.rawValue)),
            "wait": plan.flatMap { plan in entry.wait?.json(plan.template) } ?? .null,
        ]
    }

    private func timer(_ entry: Entry) -> JSON {
        [
            "task_id": .string(entry.task.description), "step": .string(entry.step),
            "due_at": .string(entry.due.description), "kind": entry.isDeadline ? "deadline" : "retry",
        ]
    }

    private func json(_ worker: Worker) -> JSON {
        var members: [JSON.Member] = [
            .init("worker", .number(String(worker.join.worker.rawValue))), .init("name", .string(worker.join.name)),
            .init("worker_kind", .string(worker.join.kind.name)),
            .init("slots", .number(String(worker.join.slots))), .init("busy", .number(String(worker.busy))),
            .init("handlers", .array(worker.join.handlers.map { .string($0.name) })),
        ]
        if !worker.join.namespaces.isEmpty {
            members.append(.init("namespaces", .array(worker.join.namespaces.map(JSON.string))))
        }
        if !worker.join.labels.isEmpty { members.append(.init("labels", worker.join.labelsJSON)) }
        return .object(members)
    }
}
