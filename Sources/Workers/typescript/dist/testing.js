/**
 * Run handlers in a test, with no engine.
 *
 *     const result = await runHandler(Invoice, { dependencies: { validate_cart: { total: 12 } } });
 *     assert.deepEqual(result.result, { due: 12 });
 */
import { wait } from "./attempt.js";
import { StepContext } from "./context.js";
import { asResult } from "./ending.js";
import { Cancelled, RetryableError } from "./errors.js";
import { invoke, isHandlerClass } from "./handler.js";
import { encode, NotJSON } from "./payload.js";
import { valueText } from "./raw.js";
import { StepHandlerResult } from "./result.js";
/** Plays the engine for one handler and remembers what the handler told it. */
export class FakeEngine {
    fetchable;
    /** Far results that were asked for. */
    fetched = [];
    checkpoints = [];
    heartbeats = [];
    /** The waits in seconds, none of which takes any time. */
    sleeps = [];
    logs = [];
    cancelReason;
    controller = new AbortController();
    messageText = "{}";
    constructor(
    /** Results of farther ancestors. */
    fetchable = {}) {
        this.fetchable = fetchable;
    }
    get signal() {
        return this.controller.signal;
    }
    /** Ask the handler to stop. */
    cancel(reason = "cancelled") {
        this.cancelReason ??= reason;
        this.controller.abort(new Cancelled(reason));
    }
    /** @internal */
    hold(message) {
        this.messageText = encode(message, "attempt");
    }
    text = (path) => valueText(this.messageText, path);
    async fetch(step) {
        this.signal.throwIfAborted();
        this.fetched.push(step);
        if (!Object.hasOwn(this.fetchable, step)) {
            throw new RetryableError(`cannot have the result of step ${step}`);
        }
        return copy(this.fetchable[step], `fetchable.${step}`);
    }
    async saveCheckpoint(data) {
        this.signal.throwIfAborted();
        this.checkpoints.push(copy(data, "checkpoint"));
    }
    heartbeat(progress) {
        this.heartbeats.push(progress);
    }
    /** Takes no time. Without an end it waits for `cancel`. */
    async sleep(seconds) {
        this.signal.throwIfAborted();
        if (seconds === undefined) {
            return wait(undefined, this.signal);
        }
        this.sleeps.push(seconds);
    }
    log(level, words) {
        this.logs.push({ level, words });
    }
}
/** A context as the engine would give it. */
export function makeContext(options = {}) {
    const engine = options.engine ?? new FakeEngine();
    const message = makeMessage(options, engine);
    engine.hold(message);
    return new StepContext(message, engine);
}
function makeMessage(options, engine) {
    const message = {
        type: "attempt",
        lease: 1,
        task_id: "00000000-0000-7000-8000-000000000001",
        step_id: "00000000-0000-7000-8000-000000000002",
        correlation_id: "00000000-0000-7000-8000-000000000003",
        idempotency_key: "00000000-0000-7000-8000-000000000002",
        namespace: "test",
        task_name: "test",
        task_version: "1.0.0",
        step: options.step ?? "step",
        handler: options.handler ?? "handler",
        method: options.method ?? "call",
        attempt: options.attempt ?? 1,
        max_attempts: options.maxAttempts ?? 3,
        deadline: options.deadline?.getTime() ?? null,
        input: copy(options.input ?? {}, "input"),
        config: copy(options.config ?? {}, "config"),
        dependencies: copy(options.dependencies ?? {}, "dependencies"),
        dependency_names: Object.keys(options.dependencies ?? {}),
        fetchable: Object.keys(engine.fetchable),
    };
    return options.checkpoint === undefined ? message : { ...message, checkpoint: copy(options.checkpoint, "checkpoint") };
}
/**
 * Run a handler once. The result has been through JSON, as it would be for the steps that depend on it.
 * Rejects with `Cancelled` when the engine's `cancel` has stopped it.
 */
export async function runHandler(handler, options = {}) {
    if (!isHandlerClass(handler)) {
        throw new TypeError(`${String(handler)} is no subclass of StepHandler`);
    }
    const engine = options.engine ?? new FakeEngine();
    const name = handler.handlerName;
    const context = makeContext({ handler: name, step: name, ...options, engine });
    const { fetches } = handler;
    for (const step of Object.keys(engine.fetchable)) {
        if (fetches === "all" || fetches.includes(step)) {
            await context.fetchDependencyResult(step);
        }
    }
    try {
        const result = asResult(await invoke(handler, context, options.method ?? "call"));
        return result.success
            ? StepHandlerResult.success(copy(result.result, "result"), copy(result.metadata, "metadata"))
            : result;
    }
    catch (error) {
        if (engine.cancelReason) {
            throw new Cancelled(engine.cancelReason);
        }
        return error instanceof NotJSON
            ? StepHandlerResult.failure(error.message, "result_not_json", false)
            : StepHandlerResult.fromError(error);
    }
}
/**
 * Run a whole workflow in memory: each step when those before it are complete, failed attempts again and without a
 * wait, checkpoints kept between them. A step in `results` does not run: it has this result. Throws when the steps do
 * not fit together.
 */
export async function runWorkflow(steps, input = {}, results = {}) {
    const outcomes = {};
    const order = inOrder(steps);
    for (const name of Object.keys(results)) {
        if (!steps.some((step) => step.name === name)) {
            throw new Error(`a result is given for ${name}, which is no step`);
        }
    }
    for (const step of order) {
        const needed = step.dependencies ?? [];
        const isReady = needed.every((name) => outcomes[name]?.state === "complete");
        if (!isReady) {
            outcomes[step.name] = { state: "blocked", attempts: 0 };
        }
        else if (Object.hasOwn(results, step.name)) {
            outcomes[step.name] = { state: "complete", attempts: 0, result: copy(results[step.name], `results.${step.name}`) };
        }
        else {
            outcomes[step.name] = await runStep(step, input, outcomes, ancestors(step, steps));
        }
    }
    const isComplete = Object.values(outcomes).every((outcome) => outcome.state === "complete");
    return { state: isComplete ? "complete" : "blocked_by_failures", steps: outcomes };
}
async function runStep(step, input, outcomes, above) {
    const results = (names) => Object.fromEntries(names.map((name) => [name, outcomes[name]?.result]));
    const direct = step.dependencies ?? [];
    const maxAttempts = step.maxAttempts ?? 3;
    if (!step.handler) {
        throw new Error(`step ${step.name} has no handler, and no result is given for it`);
    }
    let checkpoint;
    for (let attempt = 1;; attempt += 1) {
        const engine = new FakeEngine(results(above.filter((name) => !direct.includes(name))));
        const result = await runHandler(step.handler, {
            input, dependencies: results(direct), config: step.config ?? {}, attempt, maxAttempts,
            step: step.name, method: step.method ?? "call", engine, ...(checkpoint === undefined ? {} : { checkpoint }),
        });
        if (result.success) {
            return { state: "complete", attempts: attempt, result: result.result };
        }
        if (!result.retryable || attempt >= maxAttempts) {
            return { state: "error", attempts: attempt, failure: result };
        }
        checkpoint = engine.checkpoints.at(-1) ?? checkpoint;
    }
}
function ancestors(step, steps) {
    const found = new Set();
    const queue = [...(step.dependencies ?? [])];
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
        if (!found.has(name)) {
            found.add(name);
            queue.push(...(steps.find((it) => it.name === name)?.dependencies ?? []));
        }
    }
    return [...found];
}
/** The steps so that each comes after those that it depends on. */
function inOrder(steps) {
    const names = new Set(steps.map((step) => step.name));
    if (names.size < steps.length) {
        throw new Error("two steps have the same name");
    }
    const done = new Set();
    const order = [];
    let rest = [...steps];
    while (rest.length > 0) {
        const ready = rest.filter((step) => (step.dependencies ?? []).every((name) => done.has(name)));
        if (ready.length === 0) {
            const unknown = rest.flatMap((step) => step.dependencies ?? []).find((name) => !names.has(name));
            throw new Error(unknown ? `there is no step ${unknown}` : `steps wait for each other: ${rest.map((it) => it.name).join(", ")}`);
        }
        for (const step of ready) {
            done.add(step.name);
            order.push(step);
        }
        rest = rest.filter((step) => !done.has(step.name));
    }
    return order;
}
function copy(value, place) {
    return JSON.parse(encode(value, place));
}
