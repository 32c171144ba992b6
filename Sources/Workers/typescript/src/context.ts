/** What a handler knows about the step that it runs: `StepContext`. */

import type { CancelReason } from "./errors.js";
import { PermanentError } from "./errors.js";
import { type AttemptMessage, isObject } from "./message.js";

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
export type LogLevel = "debug" | "info" | "warning" | "error";

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
export class StepContext {
  /** Writes to the step's log. `console.log` in a handler goes there as well. */
  readonly log: StepLog;
  readonly #message: AttemptMessage;
  readonly #engine: Engine;
  readonly #fetched = new Map<string, unknown>();
  #checkpoint: unknown;

  /** Made by the worker, and by `makeContext` of the test kit. */
  constructor(message: AttemptMessage, engine: Engine) {
    this.#message = message;
    this.#engine = engine;
    this.#checkpoint = message.checkpoint ?? null;
    this.log = {
      debug: (...words) => engine.log("debug", words),
      info: (...words) => engine.log("info", words),
      warn: (...words) => engine.log("warning", words),
      warning: (...words) => engine.log("warning", words),
      error: (...words) => engine.log("error", words),
    };
  }

  // The task's input.

  /** The whole input of the task. */
  get inputData(): Record<string, unknown> {
    return this.#message.input;
  }

  /** One member of the input; undefined when it is absent. */
  getInput<T = unknown>(key: string): T | undefined {
    return own(this.#message.input, key) as T | undefined;
  }

  /** One member of the input; `fallback` when it is absent or null. */
  getInputOr<T = unknown>(key: string, fallback: T): T {
    return (own(this.#message.input, key) ?? fallback) as T;
  }

  // Results of earlier steps.

  /**
   * The complete result of an earlier step; null if it is not an ancestor.
   *
   * Direct dependencies are always here. For a farther step throws `PermanentError`, unless the handler has named
   * it in `static fetches` or has asked for it with `fetchDependencyResult` before.
   */
  getDependencyResult<T = unknown>(step: string): T | null {
    if (Object.hasOwn(this.#message.dependencies, step)) {
      return this.#message.dependencies[step] as T;
    }
    if (this.#fetched.has(step)) {
      return this.#fetched.get(step) as T;
    }
    if (this.#message.fetchable.includes(step)) {
      throw new PermanentError(
        `the result of the step ${step} is not here: it is no direct dependency.` +
          ` Write \`await context.fetchDependencyResult("${step}")\`, or name it in \`static fetches\``,
      );
    }
    return null;
  }

  /** The complete result of an earlier step, near or far; null if it is not an ancestor. */
  async fetchDependencyResult<T = unknown>(step: string): Promise<T | null> {
    const isHere = Object.hasOwn(this.#message.dependencies, step) || this.#fetched.has(step);
    if (!isHere && this.#message.fetchable.includes(step)) {
      this.#fetched.set(step, await this.#engine.fetch(step));
    }
    return this.getDependencyResult<T>(step);
  }

  /** A member deep inside an earlier result; null when any part of the path is absent. */
  getDependencyField<T = unknown>(step: string, ...path: (string | number)[]): T | null {
    let value = this.getDependencyResult(step);
    for (const key of path) {
      value = typeof value === "object" && value !== null ? own(value, key) ?? null : null;
    }
    return value as T | null;
  }

  /** Names of all steps whose results can be had: direct dependencies first. */
  getDependencyResultKeys(): string[] {
    const { dependencies, dependency_names, fetchable } = this.#message;
    const available = new Set([...Object.keys(dependencies), ...fetchable]);
    return [...new Set([...dependency_names, ...available])].filter((name) => available.has(name));
  }

  /** The results of all earlier steps whose names begin with `prefix`, without nulls; see `getDependencyResult`. */
  getAllDependencyResults<T = unknown>(prefix = ""): T[] {
    const names = this.getDependencyResultKeys().filter((name) => name.startsWith(prefix));
    return names.map((name) => this.getDependencyResult<T>(name)).filter((result): result is T => result !== null);
  }

  /** As `getAllDependencyResults`, far results included. */
  async fetchAllDependencyResults<T = unknown>(prefix = ""): Promise<T[]> {
    const names = this.getDependencyResultKeys().filter((name) => name.startsWith(prefix));
    await Promise.all(names.map((name) => this.fetchDependencyResult(name)));
    return this.getAllDependencyResults<T>(prefix);
  }

  // What JavaScript's numbers cannot hold.

  /** The JSON text of the input, or of what is in it at `path`: with `1.0` and all digits, as it was submitted. */
  inputText(...path: string[]): string | undefined {
    return this.#engine.text(["input", ...path]);
  }

  /** The JSON text of a direct dependency's result, or of what is in it at `path`. */
  dependencyText(step: string, ...path: string[]): string | undefined {
    return this.#engine.text(["dependencies", step, ...path]);
  }

  // Configuration: `handler.initialization` of the template.

  /** The step's whole configuration. */
  get stepConfig(): Record<string, unknown> {
    return this.#message.config;
  }

  /** One member of the configuration; `fallback` when it is absent or null. */
  getConfig<T = unknown>(key: string): T | undefined;
  getConfig<T = unknown>(key: string, fallback: T): T;
  getConfig<T = unknown>(key: string, fallback?: T): T | undefined {
    return (own(this.#message.config, key) ?? fallback) as T | undefined;
  }

  // Attempts.

  /** The number of this attempt; the first is 1. */
  get attempt(): number {
    return this.#message.attempt;
  }

  /** The number of the last attempt that the step may have, the first one counted. */
  get maxAttempts(): number {
    return this.#message.max_attempts;
  }

  /** How many attempts came before this one. */
  get retryCount(): number {
    return this.attempt - 1;
  }

  /** The same number as `maxAttempts`, under the name and with the meaning of Tasker. */
  get maxRetries(): number {
    return this.maxAttempts;
  }

  /** Whether an attempt came before this one. */
  isRetry(): boolean {
    return this.attempt > 1;
  }

  /** Whether no attempt can follow this one. */
  isLastRetry(): boolean {
    return this.attempt >= this.maxAttempts;
  }

  // Checkpoints: what one attempt leaves for the next.

  /** What the step saved last, in this attempt or an earlier one; null if nothing. */
  get checkpoint(): unknown {
    return this.#checkpoint;
  }

  /** Whether the step has saved anything. */
  hasCheckpoint(): boolean {
    return this.#checkpoint !== null;
  }

  /** Keep `data` for the next attempt. It is on disk when the promise resolves. */
  async saveCheckpoint(data: unknown): Promise<void> {
    await this.#engine.saveCheckpoint(data);
    this.#checkpoint = data;
  }

  /** Save a checkpoint of the shape that the three accessors below read, and go on. */
  saveCursor(cursor: unknown, itemsProcessed = 0, accumulatedResults: unknown = null): Promise<void> {
    return this.saveCheckpoint({
      cursor,
      items_processed: itemsProcessed,
      accumulated_results: accumulatedResults,
    });
  }

  /** `cursor` of the checkpoint; null without one. */
  get checkpointCursor(): unknown {
    return this.#ofCheckpoint("cursor");
  }

  /** `items_processed` of the checkpoint; 0 without one. */
  get checkpointItemsProcessed(): number {
    return Number(this.#ofCheckpoint("items_processed") ?? 0);
  }

  /** `accumulated_results` of the checkpoint; null without one. */
  get accumulatedResults(): unknown {
    return this.#ofCheckpoint("accumulated_results");
  }

  #ofCheckpoint(key: string): unknown {
    return isObject(this.#checkpoint) ? own(this.#checkpoint, key) ?? null : null;
  }

  // Life signs and limits.

  /** Say that the handler is alive; `progress` is any JSON value for the live view. */
  heartbeat(progress?: unknown): void {
    this.#engine.heartbeat(progress);
  }

  /** Aborts when the attempt is asked to stop. Hand it to `fetch` and to whatever else takes one. */
  get signal(): AbortSignal {
    return this.#engine.signal;
  }

  /** Whether the attempt was asked to stop. A handler with long loops looks here, after an `await`. */
  get isCancelled(): boolean {
    return this.#engine.signal.aborted;
  }

  /** Why it was asked to stop; undefined if it was not. */
  get cancelReason(): CancelReason | undefined {
    return this.#engine.cancelReason;
  }

  /** Throw `Cancelled` if the attempt was asked to stop. */
  throwIfCancelled(): void {
    this.signal.throwIfAborted();
  }

  /** Wait so long, or for ever. A cancellation ends the wait at once, with `Cancelled`. */
  sleep(seconds?: number): Promise<void> {
    return this.#engine.sleep(seconds);
  }

  /** When the attempt will be ended; null if never. */
  get deadline(): Date | null {
    const milliseconds = this.#message.deadline;
    return milliseconds === null || milliseconds === undefined ? null : new Date(milliseconds);
  }

  // Names.

  /** The task's id. */
  get taskUuid(): string {
    return this.#message.task_id;
  }

  /** The step's id, the same over all its attempts. */
  get stepUuid(): string {
    return this.#message.step_id;
  }

  /** The same over all attempts of the step: hand it to services that can tell a repeat. */
  get idempotencyKey(): string {
    return this.#message.idempotency_key;
  }

  /** The task's correlation id. */
  get correlationId(): string {
    return this.#message.correlation_id;
  }

  /** W3C `traceparent` of the attempt's span, for what the handler calls; undefined from an engine that tells none. */
  get traceparent(): string | undefined {
    return this.#message.traceparent ?? undefined;
  }

  /** The template's namespace. */
  get namespace(): string {
    return this.#message.namespace;
  }

  /** The template's name. */
  get taskName(): string {
    return this.#message.task_name;
  }

  /** The template's version. */
  get taskVersion(): string {
    return this.#message.task_version;
  }

  /** The step's name. */
  get stepName(): string {
    return this.#message.step;
  }

  /** The handler's name. */
  get handlerName(): string {
    return this.#message.handler;
  }
}

/** A member that the object has itself: `constructor` is no input. */
function own(object: object, key: string | number): unknown {
  return Object.hasOwn(object, key) ? (object as Record<string | number, unknown>)[key] : undefined;
}
