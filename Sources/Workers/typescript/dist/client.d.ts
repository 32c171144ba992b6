/** A client of a server's API: submit tasks, look at them, wait for them. */
import type { NewTask, Step, StepEvent, Task, TaskList, TaskSummary } from "./answers.js";
import { OperationCalls } from "./operations.js";
/** Which tasks `listTasks` lists, newest first. */
export interface TaskFilter {
    limit?: number;
    /** `next` of the page before. */
    cursor?: string | null;
    namespace?: string;
    name?: string;
    /** Only tasks in this state. */
    status?: string;
    /** Only the tasks that this idempotency key names. */
    idempotencyKey?: string;
}
/** Asks one server. Every method rejects with `ClientError`. */
export declare class Client extends OperationCalls {
    /** Submit a task. With an `idempotencyKey` that has a task already, that task is the answer. */
    createTask(task: NewTask): Promise<Task>;
    /** Submit many tasks, all or none. */
    createTasks(tasks: readonly NewTask[]): Promise<{
        task_id: string;
        created: boolean;
    }[]>;
    /** A task by its id, by a beginning of it that no other shares, by its key, or `last`. */
    getTask(task: string): Promise<Task>;
    /** A page of tasks, newest first. */
    listTasks(filter?: TaskFilter): Promise<TaskList>;
    /** All tasks that match, newest first, page after page. */
    allTasks(filter?: Omit<TaskFilter, "cursor">): AsyncGenerator<TaskSummary, void, undefined>;
    /** Stop a task: steps that run are stopped, others do not begin. */
    cancelTask(task: string, reason?: string): Promise<Task>;
    /** Let nothing further of a task begin; what runs goes on to its end. */
    pauseTask(task: string, reason?: string): Promise<Task>;
    /** End the pause of a task. */
    resumeTask(task: string, reason?: string): Promise<Task>;
    /** Let failed steps begin again with fresh attempts: all, or those named. */
    retryTask(task: string, options?: {
        steps?: readonly string[];
        reason?: string;
    }): Promise<Task>;
    /** The steps of a task. */
    listTaskSteps(task: string): Promise<Step[]>;
    /** One step of a task. */
    getStep(task: string, step: string): Promise<Step>;
    /** Everything that has happened to a step, as CloudEvents, oldest first. */
    getStepAuditHistory(task: string, step: string): Promise<StepEvent[]>;
    /** Settle a step by hand, with or without a result, so that the steps after it can run. */
    resolveStep(task: string, step: string, options?: {
        result?: unknown;
        reason?: string;
    }): Promise<Task>;
    /**
     * The task once it is settled: complete, cancelled, blocked by failures, or paused.
     * Rejects with the code `wait_timeout` after `timeout` seconds; without one it waits for ever. It outlives a server
     * that is started again; after five minutes without one, or when the time is over, it rejects with what was the trouble.
     */
    wait(task: string, timeout?: number): Promise<Task>;
    private submission;
}
