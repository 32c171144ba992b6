/** What a handler knows about the step that it runs: `StepContext`. */
import type { CancelReason } from "./errors.js";
import { type AttemptMessage } from "./message.js";
/** The engine as one attempt sees it. The worker and the test kit each have one. */
export interface Engine {
    readonly signal: AbortSignal;
    readonly cancelReason: CancelReason | undefined;
    /** The JSON text of the attempt's message. */
    readonly text: (path: readonly string[]) => string | undefined;
    fetch(step: string): Promise<unknown>;
    saveCheckpoint(data: unknown): Promise<void>;
    heartbeat(progress: unknown): void;
    sleep(seconds: number | undefined): Promise<void>;
    log(level: LogLevel, words: readonly unknown[]): void;
}
/** How urgent a line of the log is. */
export declare type LogLevel = "debug" | "info" | "warning" | "error";
/** Writes to the step's log; several words are put together as by `console.log`. */
export interface StepLog {
    debug(...words: unknown[]): void;
    info(...words: unknown[]): void;
    /** The same as `warning`. */
    warn(...words: unknown[]): void;
    warning(...words: unknown[]): void;
    error(...words: unknown[]): void;
}
/**
 * Input, upstream results, configuration and the state of this attempt.
 *
 * Whatever it returns belongs to this attempt; changing it changes nothing elsewhere.
 */
export declare class StepContext {
    #private;
    /** Writes to the step's log. `console.log` in a handler goes there as well. */
    readonly log: StepLog;
    /** Made by the worker, and by `makeContext` of the test kit. */
    constructor(message: AttemptMessage, engine: Engine);
    /** The whole input of the task. */
    get inputData(): Record<string, unknown>;
    /** One member of the input; undefined when it is absent. */
    getInput<T = unknown>(key: string): T | undefined;
    /** One member of the input; `fallback` when it is absent or null. */
    getInputOr<T = unknown>(key: string, fallback: T): T;
    /**
     * The complete result of an earlier step; null if it is not an ancestor.
     *
     * Direct dependencies are always here. For a farther step throws `PermanentError`, unless the handler has named
     * it in `static fetches` or has asked for it with `fetchDependencyResult` before.
     */
    getDependencyResult<T = unknown>(step: string): T | null;
    /** The complete result of an earlier step, near or far; null if it is not an ancestor. */
    fetchDependencyResult<T = unknown>(step: string): Promise<T | null>;
    /** A member deep inside an earlier result; null when any part of the path is absent. */
    getDependencyField<T = unknown>(step: string, ...path: (string | number)[]): T | null;
    /** Names of all steps whose results can be had: direct dependencies first. */
    getDependencyResultKeys(): string[];
    /** The results of all earlier steps whose names begin with `prefix`, without nulls; see `getDependencyResult`. */
    getAllDependencyResults<T = unknown>(prefix?: string): T[];
    /** As `getAllDependencyResults`, far results included. */
    fetchAllDependencyResults<T = unknown>(prefix?: string): Promise<T[]>;
    /** The JSON text of the input, or of what is in it at `path`: with `1.0` and all digits, as it was submitted. */
    inputText(...path: string[]): string | undefined;
    /** The JSON text of a direct dependency's result, or of what is in it at `path`. */
    dependencyText(step: string, ...path: string[]): string | undefined;
    /** The step's whole configuration. */
    get stepConfig(): Record<string, unknown>;
    /** One member of the configuration; `fallback` when it is absent or null. */
    getConfig<T = unknown>(key: string): T | undefined;
    getConfig<T = unknown>(key: string, fallback: T): T;
    /** The number of this attempt; the first is 1. */
    get attempt(): number;
    /** The number of the last attempt that the step may have, the first one counted. */
    get maxAttempts(): number;
    /** How many attempts came before this one. */
    get retryCount(): number;
    /** The same number as `maxAttempts`, under the name and with the meaning of Tasker. */
    get maxRetries(): number;
    /** Whether an attempt came before this one. */
    isRetry(): boolean;
    /** Whether no attempt can follow this one. */
    isLastRetry(): boolean;
    /** What the step saved last, in this attempt or an earlier one; null if nothing. */
    get checkpoint(): unknown;
    /** Whether the step has saved anything. */
    hasCheckpoint(): boolean;
    /** Keep `data` for the next attempt. It is on disk when the promise resolves. */
    saveCheckpoint(data: unknown): Promise<void>;
    /** Save a checkpoint of the shape that the three accessors below read, and go on. */
    saveCursor(cursor: unknown, itemsProcessed?: number, accumulatedResults?: unknown): Promise<void>;
    /** `cursor` of the checkpoint; null without one. */
    get checkpointCursor(): unknown;
    /** `items_processed` of the checkpoint; 0 without one. */
    get checkpointItemsProcessed(): number;
    /** `accumulated_results` of the checkpoint; null without one. */
    get accumulatedResults(): unknown;
    /** Say that the handler is alive; `progress` is any JSON value for the live view. */
    heartbeat(progress?: unknown): void;
    /** Aborts when the attempt is asked to stop. Hand it to `fetch` and to whatever else takes one. */
    get signal(): AbortSignal;
    /** Whether the attempt was asked to stop. A handler with long loops looks here, after an `await`. */
    get isCancelled(): boolean;
    /** Why it was asked to stop; undefined if it was not. */
    get cancelReason(): CancelReason | undefined;
    /** Throw `Cancelled` if the attempt was asked to stop. */
    throwIfCancelled(): void;
    /** Wait so long, or for ever. A cancellation ends the wait at once, with `Cancelled`. */
    sleep(seconds?: number): Promise<void>;
    /** When the attempt will be ended; null if never. */
    get deadline(): Date | null;
    /** The task's id. */
    get taskUuid(): string;
    /** The step's id, the same over all its attempts. */
    get stepUuid(): string;
    /** The same over all attempts of the step: hand it to services that can tell a repeat. */
    get idempotencyKey(): string;
    /** The task's correlation id. */
    get correlationId(): string;
    /** W3C `traceparent` of the attempt's span, for what the handler calls; undefined from an engine that tells none. */
    get traceparent(): string | undefined;
    /** The template's namespace. */
    get namespace(): string;
    /** The template's name. */
    get taskName(): string;
    /** The template's version. */
    get taskVersion(): string;
    /** The step's name. */
    get stepName(): string;
    /** The handler's name. */
    get handlerName(): string;
}
