/**
 * Run handlers in a test, with no engine.
 *
 *     const result = await runHandler(Invoice, { dependencies: { validate_cart: { total: 12 } } });
 *     assert.deepEqual(result.result, { due: 12 });
 */

import { wait } from "./attempt.js";
import { type Engine, type LogLevel, StepContext } from "./context.js";
import { asResult } from "./ending.js";
import { Cancelled, type CancelReason, RetryableError } from "./errors.js";
import { invoke, isHandlerClass, type StepHandlerClass } from "./handler.js";
import type { AttemptMessage } from "./message.js";
import { encode, NotJSON } from "./payload.js";
import { valueText } from "./raw.js";
import { StepHandlerResult } from "./result.js";

/** Plays the engine for one handler and remembers what the handler told it. */
export class FakeEngine implements Engine {
  /** Far results that were asked for. */
  readonly fetched: string[] = [];
  readonly checkpoints: unknown[] = [];
  readonly heartbeats: unknown[] = [];
  /** The waits in seconds, none of which takes any time. */
  readonly sleeps: number[] = [];
  readonly logs: { level: LogLevel; words: readonly unknown[] }[] = [];
  cancelReason: CancelReason | undefined;
  private readonly controller = new AbortController();
  private messageText = "{}";

  constructor(
    /** Results of farther ancestors. */
    readonly fetchable: Readonly<Record<string, unknown>> = {},
  ) {}

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Ask the handler to stop. */
  cancel(reason: CancelReason = "cancelled"): void {
    this.cancelReason ??= reason;
    this.controller.abort(new Cancelled(reason));
  }

  /** @internal */
  hold(message: AttemptMessage): void {
    this.messageText = encode(message, "attempt");
  }

  readonly text = (path: readonly string[]): string | undefined => valueText(this.messageText, path);

  async fetch(step: string): Promise<unknown> {
    this.signal.throwIfAborted();
    this.fetched.push(step);
    if (!Object.hasOwn(this.fetchable, step)) {
      throw new RetryableError(`cannot have the result of step ${step}`);
    }
    return copy(this.fetchable[step], `fetchable.${step}`);
  }

  async saveCheckpoint(data: unknown): Promise<void> {
    this.signal.throwIfAborted();
    this.checkpoints.push(copy(data, "checkpoint"));
  }

  heartbeat(progress: unknown): void {
    this.heartbeats.push(progress);
  }

  /** Takes no time. Without an end it waits for `cancel`. */
  async sleep(seconds: number | undefined): Promise<void> {
    this.signal.throwIfAborted();
    if (seconds === undefined) {
      return wait(undefined, this.signal);
    }
    this.sleeps.push(seconds);
  }

  log(level: LogLevel, words: readonly unknown[]): void {
    this.logs.push({ level, words });
  }
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
export function makeContext(options: ContextOptions = {}): StepContext {
  const engine = options.engine ?? new FakeEngine();
  const message = makeMessage(options, engine);
  engine.hold(message);
  return new StepContext(message, engine);
}

function makeMessage(options: ContextOptions, engine: FakeEngine): AttemptMessage {
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
    input: copy(options.input ?? {}, "input") as Record<string, unknown>,
    config: copy(options.config ?? {}, "config") as Record<string, unknown>,
    dependencies: copy(options.dependencies ?? {}, "dependencies") as Record<string, unknown>,
    dependency_names: Object.keys(options.dependencies ?? {}),
    fetchable: Object.keys(engine.fetchable),
  };
  return options.checkpoint === undefined ? message : { ...message, checkpoint: copy(options.checkpoint, "checkpoint") };
}

/**
 * Run a handler once. The result has been through JSON, as it would be for the steps that depend on it.
 * Rejects with `Cancelled` when the engine's `cancel` has stopped it.
 */
export async function runHandler(handler: StepHandlerClass, options: ContextOptions = {}): Promise<StepHandlerResult> {
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
      ? StepHandlerResult.success(copy(result.result, "result"), copy(result.metadata, "metadata") as Record<string, unknown>)
      : result;
  } catch (error) {
    if (engine.cancelReason) {
      throw new Cancelled(engine.cancelReason);
    }
    return error instanceof NotJSON
      ? StepHandlerResult.failure(error.message, "result_not_json", false)
      : StepHandlerResult.fromError(error);
  }
}

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
export async function runWorkflow(
  steps: readonly TestStep[],
  input: Record<string, unknown> = {},
  results: Readonly<Record<string, unknown>> = {},
): Promise<WorkflowOutcome> {
  const outcomes: Record<string, StepOutcome> = {};
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
    } else if (Object.hasOwn(results, step.name)) {
      outcomes[step.name] = { state: "complete", attempts: 0, result: copy(results[step.name], `results.${step.name}`) };
    } else {
      outcomes[step.name] = await runStep(step, input, outcomes, ancestors(step, steps));
    }
  }
  const isComplete = Object.values(outcomes).every((outcome) => outcome.state === "complete");
  return { state: isComplete ? "complete" : "blocked_by_failures", steps: outcomes };
}

async function runStep(
  step: TestStep,
  input: Record<string, unknown>,
  outcomes: Readonly<Record<string, StepOutcome>>,
  above: readonly string[],
): Promise<StepOutcome> {
  const results = (names: readonly string[]): Record<string, unknown> =>
    Object.fromEntries(names.map((name) => [name, outcomes[name]?.result]));
  const direct = step.dependencies ?? [];
  const maxAttempts = step.maxAttempts ?? 3;
  if (!step.handler) {
    throw new Error(`step ${step.name} has no handler, and no result is given for it`);
  }
  let checkpoint: unknown;
  for (let attempt = 1; ; attempt += 1) {
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

function ancestors(step: TestStep, steps: readonly TestStep[]): string[] {
  const found = new Set<string>();
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
function inOrder(steps: readonly TestStep[]): TestStep[] {
  const names = new Set(steps.map((step) => step.name));
  if (names.size < steps.length) {
    throw new Error("two steps have the same name");
  }
  const done = new Set<string>();
  const order: TestStep[] = [];
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

function copy(value: unknown, place: string): unknown {
  return JSON.parse(encode(value, place));
}
