/**
 * Run handlers in a test, with no engine.
 *
 *     const result = await runHandler(Invoice, { dependencies: { validate_cart: { total: 12 } } });
 *     assert.deepEqual(result.result, { due: 12 });
 */
import { type Engine, type LogLevel, StepContext } from "./context.js";
import { type CancelReason } from "./errors.js";
import { type StepHandlerClass } from "./handler.js";
import type { AttemptMessage } from "./message.js";
import { StepHandlerResult } from "./result.js";
/** Plays the engine for one handler and remembers what the handler told it. */
export declare class FakeEngine implements Engine {
    /** Results of farther ancestors. */
    readonly fetchable: Readonly<Record<string, unknown>>;
    /** Far results that were asked for. */
    readonly fetched: string[];
    readonly checkpoints: unknown[];
    readonly heartbeats: unknown[];
    /** The waits in seconds, none of which takes any time. */
    readonly sleeps: number[];
    readonly logs: {
        level: LogLevel;
        words: readonly unknown[];
    }[];
    cancelReason: CancelReason | undefined;
    private readonly controller;
    private messageText;
    constructor(
    /** Results of farther ancestors. */
    fetchable?: Readonly<Record<string, unknown>>);
    get signal(): AbortSignal;
    /** Ask the handler to stop. */
    cancel(reason?: CancelReason): void;
    /** @internal */
    hold(message: AttemptMessage): void;
    readonly text: (path: readonly string[]) => string | undefined;
    fetch(step: string): Promise<unknown>;
    saveCheckpoint(data: unknown): Promise<void>;
    heartbeat(progress: unknown): void;
    /** Takes no time. Without an end it waits for `cancel`. */
    sleep(seconds: number | undefined): Promise<void>;
    log(level: LogLevel, words: readonly unknown[]): void;
}
/** What a handler shall find in its context. */
export interface ContextOptions {
    input?: Record<string, unknown>;
    /** Results of direct dependencies. */
    dependencies?: Record<string, unknown>;
    config?: Record<string, unknown>;
    attempt?: number;
    maxAttempts?: number;
    checkpoint?: unknown;
    deadline?: Date;
    step?: string;
    handler?: string;
    method?: string;
    engine?: FakeEngine;
}
/** A context as the engine would give it. */
export declare function makeContext(options?: ContextOptions): StepContext;
/**
 * Run a handler once. The result has been through JSON, as it would be for the steps that depend on it.
 * Rejects with `Cancelled` when the engine's `cancel` has stopped it.
 */
export declare function runHandler(handler: StepHandlerClass, options?: ContextOptions): Promise<StepHandlerResult>;
/** One step of a workflow to run in a test. */
export interface TestStep {
    name: string;
    /** None for a command: its result must be given. */
    handler?: StepHandlerClass;
    dependencies?: readonly string[];
    config?: Record<string, unknown>;
    method?: string;
    /** How many attempts the step may have; 3 without it. */
    maxAttempts?: number;
}
/** How a step ended. `blocked`: a step before it has failed. */
export interface StepOutcome {
    state: "complete" | "error" | "blocked";
    attempts: number;
    result?: unknown;
    /** The last attempt, when it failed. */
    failure?: StepHandlerResult;
}
/** How a workflow ended. */
export interface WorkflowOutcome {
    state: "complete" | "blocked_by_failures";
    steps: Record<string, StepOutcome>;
}
/**
 * Run a whole workflow in memory: each step when those before it are complete, failed attempts again and without a
 * wait, checkpoints kept between them. A step in `results` does not run: it has this result. Throws when the steps do
 * not fit together.
 */
export declare function runWorkflow(steps: readonly TestStep[], input?: Record<string, unknown>, results?: Readonly<Record<string, unknown>>): Promise<WorkflowOutcome>;
