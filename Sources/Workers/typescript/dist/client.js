/** A client of a server's API: submit tasks, look at them, wait for them. */
import { Absence } from "./absence.js";
import { ClientError, defined, query, segment } from "./asking.js";
import { OperationCalls } from "./operations.js";
const WAIT_MAX = 30; // seconds that one request waits for the end of a task
const SETTLED = new Set(["complete", "cancelled", "blocked_by_failures", "error", "resolved_manually", "paused"]);
/** Asks one server. Every method rejects with `ClientError`. */
export class Client extends OperationCalls {
    /** Submit a task. With an `idempotencyKey` that has a task already, that task is the answer. */
    createTask(task) {
        return this.ask("POST", "/v1/tasks", this.submission(task), isRepeatable(task));
    }
    /** Submit many tasks, all or none. */
    async createTasks(tasks) {
        const body = { tasks: tasks.map((task) => this.submission(task)) };
        const answer = await this.ask("POST", "/v1/tasks/batch", body, tasks.every(isRepeatable));
        return answer.tasks;
    }
    /** A task by its id, by a beginning of it that no other shares, by its key, or `last`. */
    getTask(task) {
        return this.ask("GET", `/v1/tasks/${segment(task)}`);
    }
    /** A page of tasks, newest first. */
    listTasks(filter = {}) {
        const { limit, cursor, namespace, name, status, idempotencyKey } = filter;
        return this.ask("GET", `/v1/tasks${query({ limit, cursor, namespace, name, state: status, key: idempotencyKey })}`);
    }
    /** All tasks that match, newest first, page after page. */
    async *allTasks(filter = {}) {
        let cursor = null;
        do {
            const page = await this.listTasks({ ...filter, cursor });
            yield* page.tasks;
            cursor = page.next;
        } while (cursor !== null);
    }
    /** Stop a task: steps that run are stopped, others do not begin. */
    cancelTask(task, reason) {
        return this.ask("POST", `/v1/tasks/${segment(task)}/cancel`, defined({ reason }));
    }
    /** Let nothing further of a task begin; what runs goes on to its end. */
    pauseTask(task, reason) {
        return this.ask("POST", `/v1/tasks/${segment(task)}/pause`, defined({ reason }));
    }
    /** End the pause of a task. */
    resumeTask(task, reason) {
        return this.ask("POST", `/v1/tasks/${segment(task)}/resume`, defined({ reason }));
    }
    /** Let failed steps begin again with fresh attempts: all, or those named. */
    retryTask(task, options = {}) {
        return this.ask("POST", `/v1/tasks/${segment(task)}/retry`, defined({ ...options }));
    }
    /** The steps of a task. */
    async listTaskSteps(task) {
        return (await this.ask("GET", `/v1/tasks/${segment(task)}/steps`)).steps;
    }
    /** One step of a task. */
    getStep(task, step) {
        return this.ask("GET", `/v1/tasks/${segment(task)}/steps/${segment(step)}`);
    }
    /** Everything that has happened to a step, as CloudEvents, oldest first. */
    async getStepAuditHistory(task, step) {
        const path = `/v1/tasks/${segment(task)}/steps/${segment(step)}/audit`;
        return (await this.ask("GET", path)).events;
    }
    /** Settle a step by hand, with or without a result, so that the steps after it can run. */
    resolveStep(task, step, options = {}) {
        return this.ask("POST", `/v1/tasks/${segment(task)}/steps/${segment(step)}/resolve`, defined({ ...options }));
    }
    /**
     * The task once it is settled: complete, cancelled, blocked by failures, or paused.
     * Rejects with the code `wait_timeout` after `timeout` seconds; without one it waits for ever. It outlives a server
     * that is started again; after five minutes without one, or when the time is over, it rejects with what was the trouble.
     */
    async wait(task, timeout = Infinity) {
        const end = performance.now() + timeout * 1000;
        const absence = new Absence(end);
        for (;;) {
            const left = Math.max(0, end - performance.now());
            const ms = Math.ceil(Math.min(left, WAIT_MAX * 1000));
            let found;
            try {
                found = await this.ask("GET", `/v1/tasks/${segment(task)}?wait=${ms}ms`);
            }
            catch (error) {
                await absence.outlast(error);
                continue;
            }
            absence.ended();
            if (SETTLED.has(found.state)) {
                return found;
            }
            if (performance.now() >= end) {
                throw new ClientError("wait_timeout", `task ${task} is ${found.state} after ${timeout} s`, "wait longer, or look why: stepwell explain");
            }
        }
    }
    submission(task) {
        return defined({
            name: task.name,
            namespace: task.namespace ?? "default",
            version: task.version,
            context: task.context ?? {},
            priority: task.priority,
            tags: task.tags,
            correlation_id: task.correlationId,
            parent_correlation_id: task.parentCorrelationId,
            idempotency_key: task.idempotencyKey,
            initiator: task.initiator ?? this.options.initiator,
            source_system: task.sourceSystem ?? this.options.sourceSystem,
            reason: task.reason,
            replace: task.replace,
        });
    }
}
/** Whether it is one task also when it is sent twice. */
function isRepeatable(task) {
    return task.idempotencyKey !== undefined && !task.replace;
}
