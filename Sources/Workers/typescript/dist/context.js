/** What a handler knows about the step that it runs: `StepContext`. */
import { PermanentError } from "./errors.js";
import { isObject } from "./message.js";
/**
 * Input, upstream results, configuration and the state of this attempt.
 *
 * Whatever it returns belongs to this attempt; changing it changes nothing elsewhere.
 */
export class StepContext {
    /** Writes to the step's log. `console.log` in a handler goes there as well. */
    log;
    #message;
    #engine;
    #fetched = new Map();
    #checkpoint;
    /** Made by the worker, and by `makeContext` of the test kit. */
    constructor(message, engine) {
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
    get inputData() {
        return this.#message.input;
    }
    /** One member of the input; undefined when it is absent. */
    getInput(key) {
        return own(this.#message.input, key);
    }
    /** One member of the input; `fallback` when it is absent or null. */
    getInputOr(key, fallback) {
        return (own(this.#message.input, key) ?? fallback);
    }
    // Results of earlier steps.
    /**
     * The complete result of an earlier step; null if it is not an ancestor.
     *
     * Direct dependencies are always here. For a farther step throws `PermanentError`, unless the handler has named
     * it in `static fetches` or has asked for it with `fetchDependencyResult` before.
     */
    getDependencyResult(step) {
        if (Object.hasOwn(this.#message.dependencies, step)) {
            return this.#message.dependencies[step];
        }
        if (this.#fetched.has(step)) {
            return this.#fetched.get(step);
        }
        if (this.#message.fetchable.includes(step)) {
            throw new PermanentError(`the result of the step ${step} is not here: it is no direct dependency.` +
                ` Write \`await context.fetchDependencyResult("${step}")\`, or name it in \`static fetches\``);
        }
        return null;
    }
    /** The complete result of an earlier step, near or far; null if it is not an ancestor. */
    async fetchDependencyResult(step) {
        const isHere = Object.hasOwn(this.#message.dependencies, step) || this.#fetched.has(step);
        if (!isHere && this.#message.fetchable.includes(step)) {
            this.#fetched.set(step, await this.#engine.fetch(step));
        }
        return this.getDependencyResult(step);
    }
    /** A member deep inside an earlier result; null when any part of the path is absent. */
    getDependencyField(step, ...path) {
        let value = this.getDependencyResult(step);
        for (const key of path) {
            value = typeof value === "object" && value !== null ? own(value, key) ?? null : null;
        }
        return value;
    }
    /** Names of all steps whose results can be had: direct dependencies first. */
    getDependencyResultKeys() {
        const { dependencies, dependency_names, fetchable } = this.#message;
        const available = new Set([...Object.keys(dependencies), ...fetchable]);
        return [...new Set([...dependency_names, ...available])].filter((name) => available.has(name));
    }
    /** The results of all earlier steps whose names begin with `prefix`, without nulls; see `getDependencyResult`. */
    getAllDependencyResults(prefix = "") {
        const names = this.getDependencyResultKeys().filter((name) => name.startsWith(prefix));
        return names.map((name) => this.getDependencyResult(name)).filter((result) => result !== null);
    }
    /** As `getAllDependencyResults`, far results included. */
    async fetchAllDependencyResults(prefix = "") {
        const names = this.getDependencyResultKeys().filter((name) => name.startsWith(prefix));
        await Promise.all(names.map((name) => this.fetchDependencyResult(name)));
        return this.getAllDependencyResults(prefix);
    }
    // What JavaScript's numbers cannot hold.
    /** The JSON text of the input, or of what is in it at `path`: with `1.0` and all digits, as it was submitted. */
    inputText(...path) {
        return this.#engine.text(["input", ...path]);
    }
    /** The JSON text of a direct dependency's result, or of what is in it at `path`. */
    dependencyText(step, ...path) {
        return this.#engine.text(["dependencies", step, ...path]);
    }
    // Configuration: `handler.initialization` of the template.
    /** The step's whole configuration. */
    get stepConfig() {
        return this.#message.config;
    }
    getConfig(key, fallback) {
        return (own(this.#message.config, key) ?? fallback);
    }
    // Attempts.
    /** The number of this attempt; the first is 1. */
    get attempt() {
        return this.#message.attempt;
    }
    /** The number of the last attempt that the step may have, the first one counted. */
    get maxAttempts() {
        return this.#message.max_attempts;
    }
    /** How many attempts came before this one. */
    get retryCount() {
        return this.attempt - 1;
    }
    /** The same number as `maxAttempts`, under the name and with the meaning of Tasker. */
    get maxRetries() {
        return this.maxAttempts;
    }
    /** Whether an attempt came before this one. */
    isRetry() {
        return this.attempt > 1;
    }
    /** Whether no attempt can follow this one. */
    isLastRetry() {
        return this.attempt >= this.maxAttempts;
    }
    // Checkpoints: what one attempt leaves for the next.
    /** What the step saved last, in this attempt or an earlier one; null if nothing. */
    get checkpoint() {
        return this.#checkpoint;
    }
    /** Whether the step has saved anything. */
    hasCheckpoint() {
        return this.#checkpoint !== null;
    }
    /** Keep `data` for the next attempt. It is on disk when the promise resolves. */
    async saveCheckpoint(data) {
        await this.#engine.saveCheckpoint(data);
        this.#checkpoint = data;
    }
    /** Save a checkpoint of the shape that the three accessors below read, and go on. */
    saveCursor(cursor, itemsProcessed = 0, accumulatedResults = null) {
        return this.saveCheckpoint({
            cursor,
            items_processed: itemsProcessed,
            accumulated_results: accumulatedResults,
        });
    }
    /** `cursor` of the checkpoint; null without one. */
    get checkpointCursor() {
        return this.#ofCheckpoint("cursor");
    }
    /** `items_processed` of the checkpoint; 0 without one. */
    get checkpointItemsProcessed() {
        return Number(this.#ofCheckpoint("items_processed") ?? 0);
    }
    /** `accumulated_results` of the checkpoint; null without one. */
    get accumulatedResults() {
        return this.#ofCheckpoint("accumulated_results");
    }
    #ofCheckpoint(key) {
        return isObject(this.#checkpoint) ? own(this.#checkpoint, key) ?? null : null;
    }
    // Life signs and limits.
    /** Say that the handler is alive; `progress` is any JSON value for the live view. */
    heartbeat(progress) {
        this.#engine.heartbeat(progress);
    }
    /** Aborts when the attempt is asked to stop. Hand it to `fetch` and to whatever else takes one. */
    get signal() {
        return this.#engine.signal;
    }
    /** Whether the attempt was asked to stop. A handler with long loops looks here, after an `await`. */
    get isCancelled() {
        return this.#engine.signal.aborted;
    }
    /** Why it was asked to stop; undefined if it was not. */
    get cancelReason() {
        return this.#engine.cancelReason;
    }
    /** Throw `Cancelled` if the attempt was asked to stop. */
    throwIfCancelled() {
        this.signal.throwIfAborted();
    }
    /** Wait so long, or for ever. A cancellation ends the wait at once, with `Cancelled`. */
    sleep(seconds) {
        return this.#engine.sleep(seconds);
    }
    /** When the attempt will be ended; null if never. */
    get deadline() {
        const milliseconds = this.#message.deadline;
        return milliseconds === null || milliseconds === undefined ? null : new Date(milliseconds);
    }
    // Names.
    /** The task's id. */
    get taskUuid() {
        return this.#message.task_id;
    }
    /** The step's id, the same over all its attempts. */
    get stepUuid() {
        return this.#message.step_id;
    }
    /** The same over all attempts of the step: hand it to services that can tell a repeat. */
    get idempotencyKey() {
        return this.#message.idempotency_key;
    }
    /** The task's correlation id. */
    get correlationId() {
        return this.#message.correlation_id;
    }
    /** W3C `traceparent` of the attempt's span, for what the handler calls; undefined from an engine that tells none. */
    get traceparent() {
        return this.#message.traceparent ?? undefined;
    }
    /** The template's namespace. */
    get namespace() {
        return this.#message.namespace;
    }
    /** The template's name. */
    get taskName() {
        return this.#message.task_name;
    }
    /** The template's version. */
    get taskVersion() {
        return this.#message.task_version;
    }
    /** The step's name. */
    get stepName() {
        return this.#message.step;
    }
    /** The handler's name. */
    get handlerName() {
        return this.#message.handler;
    }
}
/** A member that the object has itself: `constructor` is no input. */
function own(object, key) {
    return Object.hasOwn(object, key) ? object[key] : undefined;
}
