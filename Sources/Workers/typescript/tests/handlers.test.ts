/** Handlers, their errors and results, and the test kit, in this process. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  Cancelled, defineHandler, ErrorType, isRetryable, NetworkError, NotJSON, PermanentError, RawJSON, RetryableError,
  StepHandler, StepHandlerResult, TaskerError, TimeoutError, ValidationError, type StepContext,
} from "../src/index.js";
import { Lines } from "../src/streams.js";
import { ending } from "../src/ending.js";
import { encode } from "../src/payload.js";
import { valueText } from "../src/raw.js";
import { FakeEngine, makeContext, runHandler, runWorkflow } from "../src/testing.js";

const LIMITS = { resultBytes: 1 << 24, lineBytes: 1 << 26 };

class Cart extends StepHandler {
  static override handlerName = "shop.cart";

  async call(context: StepContext): Promise<StepHandlerResult> {
    const items = context.getInput<number[]>("items") ?? [];
    if (items.length === 0) {
      return this.failure("no items", ErrorType.VALIDATION_ERROR, false, { field: "items" }, "EMPTY", 2);
    }
    return this.success({ total: items.reduce((sum, price) => sum + price, 0) }, { items: items.length });
  }
}

const invoice = defineHandler(
  "shop.invoice",
  { depends: { cart: ["validate_cart", (value: unknown) => value as { total: number }] }, inputs: { currency: "currency" }, version: "1.2.0" },
  ({ cart, currency = "EUR" }) => ({ due: cart.total, currency }),
);

test("a class and a function run in the test kit", async () => {
  const cart = await runHandler(Cart, { input: { items: [1, 2] } });
  assert.deepEqual([cart.success, cart.result, cart.metadata], [true, { total: 3 }, { items: 2 }]);
  const failed = await runHandler(Cart);
  assert.deepEqual(
    [failed.success, failed.errorMessage, failed.errorType, failed.retryable, failed.errorCode, failed.retryAfter],
    [false, "no items", "validation_error", false, "EMPTY", 2],
  );
  const done = await runHandler(invoice, { dependencies: { validate_cart: { total: 12 } } });
  assert.deepEqual(done.result, { due: 12, currency: "EUR" });
  assert.deepEqual([invoice.handlerName, invoice.handlerVersion], ["shop.invoice", "1.2.0"]);
});

test("a model that does not fit is a validation error that names the place", async () => {
  const schema = { parse: (value: unknown): number => {
    if (typeof value !== "number") {
      throw new TypeError("no number");
    }
    return value;
  } };
  const double = defineHandler("double", { inputs: { n: ["count", schema] } }, ({ n }) => n * 2);
  assert.equal((await runHandler(double, { input: { count: 4 } })).result, 8);
  const failed = await runHandler(double, { input: { count: "4" } });
  assert.deepEqual([failed.errorType, failed.retryable], ["validation_error", false]);
  assert.match(failed.errorMessage ?? "", /the input count does not fit: no number/);
  assert.throws(() => defineHandler("x", { inputs: { context: "context" } }, () => 1), /another name/);
});

test("errors say whether another attempt may help", () => {
  assert.deepEqual(
    [new RetryableError("x"), new TimeoutError("x"), new NetworkError("x"), new PermanentError("x"), new ValidationError("x")].map(
      (error) => [error.errorType, error.retryable, error.name],
    ),
    [
      ["retryable_error", true, "RetryableError"], ["timeout", true, "TimeoutError"],
      ["retryable_error", true, "NetworkError"], ["permanent_error", false, "PermanentError"],
      ["validation_error", false, "ValidationError"],
    ],
  );
  assert.equal(isRetryable(new Error("x")), true);
  assert.equal(isRetryable(new PermanentError("x", { retryable: true })), true);
  assert.deepEqual(new RetryableError("x", { order: 7 }).metadata, { order: 7 });
  const own = new RetryableError("x", { errorCode: "E", retryAfter: 3, metadata: { a: 1 }, cause: new Error("inner") });
  assert.deepEqual([own.errorCode, own.retryAfter, own.metadata], ["E", 3, { a: 1 }]);
  assert(own instanceof TaskerError && own instanceof Error);
});

test("a thrown value becomes a failure with a backtrace", async () => {
  const broken = defineHandler("broken", {}, ({ context }) => {
    throw context.getInput("what") === "text" ? "plain text" : new RangeError("boom", { cause: new Error("inner") });
  });
  const failed = await runHandler(broken);
  assert.deepEqual([failed.errorMessage, failed.errorType, failed.retryable], ["RangeError: boom", "handler_error", true]);
  assert.match(failed.backtrace ?? "", /handlers\.test\.js[^]*caused by Error: inner/);
  assert.match((await runHandler(broken, { input: { what: "text" } })).errorMessage ?? "", /threw plain text, which is no Error/);
});

test("the last message of an attempt", () => {
  const line = ending(7, StepHandlerResult.failure("é\ud800", "mine", true, { n: NaN, ok: 1 }, "C", 0.0015, "trace"), LIMITS);
  assert.deepEqual(JSON.parse(line), {
    type: "failure", lease: 7, message: "é\ufffd", error_type: "mine", retryable: true, error_code: "C",
    retry_after_ms: 2, backtrace: "trace", metadata: { n: "value is NaN, which JSON does not have", ok: 1 },
  });
  assert.equal(ending(7, StepHandlerResult.success(), LIMITS), '{"type":"result","lease":7,"result":null}');
  const thrower = { toJSON: () => { throw new Error("no form"); } };
  assert.equal(JSON.parse(ending(7, StepHandlerResult.success(thrower), LIMITS)).message, "Error: no form");
});

test("JSON text", () => {
  assert.equal(encode({ a: new Date(0), b: undefined, c: [undefined, null, {}], "__proto__ ": 1 }, "x"),
    '{"a":"1970-01-01T00:00:00.000Z","c":[null,null,{}],"__proto__ ":1}');
  assert.equal(encode([1n, RawJSON.of("1.50")], "x"), "[1,1.50]");
  assert.throws(() => RawJSON.of("1.5.0"), { name: "SyntaxError" });
  assert.equal(encode({ "\ue0000\ue001": "\ue0000\ue001", b: 1n }, "x"), '{"\ue0000\ue001":"\ue0000\ue001","b":1}');
  assert.throws(() => encode({ [`\ud800`]: null }, "x"), NotJSON as unknown as object);
  let deep: unknown = [NaN];
  for (let level = 0; level < 5000; level += 1) {
    deep = [deep];
  }
  assert.throws(() => encode([deep, null], "x"), /nested too deeply|x\[0\]/);
});

test("the text of a value inside a text", () => {
  const text = ' {"a" : [1.0,{"b\\"}":"]"}, -1e400 ], "c":{"d":null , "d":2.50},"e":""} ';
  assert.equal(valueText(text, ["a", 0]), "1.0");
  assert.equal(valueText(text, ["a", 1]), '{"b\\"}":"]"}');
  assert.equal(valueText(text, ["a", 1, 'b"}']), '"]"');
  assert.equal(valueText(text, ["a", 2]), "-1e400");
  assert.equal(valueText(text, ["c", "d"]), "2.50");
  assert.equal(valueText(text, ["e"]), '""');
  for (const path of [["a", 3], ["b"], ["c", 0], ["e", "f"], ["a", "0"]]) {
    assert.equal(valueText(text, path), undefined);
  }
});

test("bytes become lines wherever they are cut", () => {
  const bytes = new TextEncoder().encode('\ufeff{"a":"ü"}\n\n李🌍\nlast');
  for (let size = 1; size <= bytes.length; size += 1) {
    const lines: string[] = [];
    const reader = new Lines((line) => lines.push(line));
    for (let start = 0; start < bytes.length; start += size) {
      reader.add(bytes.subarray(start, start + size));
    }
    assert.deepEqual(lines, ['\ufeff{"a":"ü"}', "", "李🌍"]);
  }
});

test("the context", async () => {
  const engine = new FakeEngine({ far: { deep: [{ n: 1 }] }, far_two: null });
  const context = makeContext({
    engine, input: { zero: 0, none: null }, dependencies: { near: { rows: [5] }, toString: 1 }, config: { limit: 10 },
    attempt: 3, checkpoint: { cursor: 4, items_processed: 2 }, deadline: new Date(1764021600123), step: "s",
  });
  assert.deepEqual([context.getInput("zero"), context.getInput("constructor"), context.getInputOr("none", 9)], [0, undefined, 9]);
  assert.deepEqual([context.getConfig("limit"), context.getConfig("x", 1), context.stepName], [10, 1, "s"]);
  assert.deepEqual([context.retryCount, context.isRetry(), context.isLastRetry(), context.maxRetries], [2, true, true, 3]);
  assert.deepEqual([context.checkpointCursor, context.checkpointItemsProcessed, context.accumulatedResults], [4, 2, null]);
  assert.equal(context.deadline?.getTime(), 1764021600123);
  assert.equal(context.getDependencyField("near", "rows", 0), 5);
  assert.equal(context.getDependencyResult("nobody"), null);
  assert.throws(() => context.getDependencyResult("far"), /no direct dependency/);
  assert.deepEqual(await context.fetchDependencyResult("far"), { deep: [{ n: 1 }] });
  assert.equal(context.getDependencyField("far", "deep", 0, "n"), 1);
  assert.deepEqual(context.getDependencyResultKeys(), ["near", "toString", "far", "far_two"]);
  assert.deepEqual(await context.fetchAllDependencyResults("far"), [{ deep: [{ n: 1 }] }]);
  assert.deepEqual(engine.fetched, ["far", "far_two"]);
  assert.equal(context.inputText("zero"), "0");
  await context.saveCheckpoint({ page: 1 });
  assert.deepEqual([context.checkpoint, engine.checkpoints], [{ page: 1 }, [{ page: 1 }]]);
  await context.sleep(3600);
  engine.cancel("timeout");
  assert.deepEqual([context.isCancelled, context.cancelReason, engine.sleeps], [true, "timeout", [3600]]);
  assert.throws(() => context.throwIfCancelled(), { name: "Cancelled", reason: "timeout" });
  await assert.rejects(context.sleep(), { name: "Cancelled" });
});

test("a handler that waits for ever is stopped by the fake engine", async () => {
  const waiting = defineHandler("waiting", {}, ({ context }) => context.sleep());
  const engine = new FakeEngine();
  const run = runHandler(waiting, { engine });
  engine.cancel();
  await assert.rejects(run, (error: unknown) => error instanceof Cancelled);
});

test("a whole workflow runs in memory, with retries and far results", async () => {
  const flaky = defineHandler("flaky", {}, async ({ context }) => {
    if (context.attempt < 3) {
      await context.saveCheckpoint(context.attempt);
      throw new RetryableError("not yet");
    }
    return { n: context.checkpoint };
  });
  const sum = defineHandler("sum", { depends: { a: "a", b: "b" } }, ({ a, b }) => a.n + b);
  const passed = defineHandler("passed", { depends: { a: "a" } }, ({ a }) => a.n * 10);
  const outcome = await runWorkflow([
    { name: "c", handler: sum, dependencies: ["b"] },
    { name: "b", handler: passed, dependencies: ["a"] },
    { name: "a", handler: flaky },
  ]);
  assert.deepEqual([outcome.state, outcome.steps["a"]?.attempts, outcome.steps["c"]?.result], ["complete", 3, 22]);
  const blocked = await runWorkflow([
    { name: "a", handler: flaky, maxAttempts: 2 }, { name: "b", handler: passed, dependencies: ["a"] },
  ]);
  assert.deepEqual([blocked.state, blocked.steps["a"]?.state, blocked.steps["b"]?.state], ["blocked_by_failures", "error", "blocked"]);
  const given = await runWorkflow([{ name: "a" }, { name: "b", handler: passed, dependencies: ["a"] }], {}, { a: { n: 1 } });
  assert.deepEqual([given.steps["b"]?.result, given.steps["a"]], [10, { state: "complete", attempts: 0, result: { n: 1 } }]);
  await assert.rejects(runWorkflow([{ name: "a" }]), /step a has no handler/);
  await assert.rejects(runWorkflow([{ name: "a", handler: sum }], {}, { z: 1 }), /z, which is no step/);
  await assert.rejects(runWorkflow([{ name: "a", handler: sum, dependencies: ["x"] }]), /there is no step x/);
  await assert.rejects(
    runWorkflow([{ name: "a", handler: sum, dependencies: ["b"] }, { name: "b", handler: sum, dependencies: ["a"] }]),
    /wait for each other/,
  );
});
