/** The conformance worker: handlers that Tests/WorkerConformance puts every SDK to the test with. */

import { existsSync } from "node:fs";

import {
  defineHandler, PermanentError, RawJSON, RetryableError, runWorker, StepHandler, StepHandlerResult, ValidationError,
  type StepContext,
} from "./src/index.js";

const echo = defineHandler("echo", {}, ({ context }) => ({
  input: context.inputData,
  config: context.stepConfig,
  dependencies: Object.fromEntries(
    context.getDependencyResultKeys().map((name) => [name, context.getDependencyResult(name)]),
  ),
  attempt: context.attempt,
  idempotency_key: context.idempotencyKey,
  checkpoint: context.checkpoint,
  deadline: context.deadline?.getTime() ?? null,
}));

const CLASSES = { retryable: RetryableError, permanent: PermanentError, validation: ValidationError };

/** Fails as its configuration says. */
class Fail extends StepHandler {
  static override handlerName = "fail";

  async call(context: StepContext): Promise<StepHandlerResult> {
    const message = context.getConfig("message", "");
    const kind = context.getConfig<keyof typeof CLASSES | "returned" | "crash">("kind", "crash");
    const errorType = context.getConfig<string>("error_type");
    const errorCode = context.getConfig<string>("error_code");
    const retryable = context.getConfig<boolean>("retryable");
    const wait = context.getConfig<number>("retry_after_ms");
    const retryAfter = wait === undefined ? undefined : wait / 1000;
    if (kind === "returned") {
      return this.failure(message, errorType, retryable, undefined, errorCode, retryAfter);
    }
    if (kind === "crash") {
      throw new TypeError(message);
    }
    throw new CLASSES[kind](message, { errorType, errorCode, retryable, retryAfter });
  }
}

const checkpoint = defineHandler("checkpoint", {}, async ({ context }) => {
  await context.saveCheckpoint(context.getConfig("data"));
  return { saved: true };
});

const progress = defineHandler("progress", {}, ({ context }) => {
  context.heartbeat({ done: 1, of: 2 });
  return {};
});

const log = defineHandler("log", {}, ({ context }) => {
  context.log.info("one");
  context.log.warning("two");
  console.log("three");
  return {};
});

const fetch = defineHandler("fetch", {}, async ({ context }) => ({
  fetched: await context.fetchDependencyResult(context.getConfig("step", "")),
}));

const wait = defineHandler("wait", {}, ({ context }) => context.sleep());

/** Tells which of its methods was called. */
class Method extends StepHandler {
  static override handlerName = "method";

  async call(): Promise<StepHandlerResult> {
    return this.success({ method: "call" });
  }

  async other(): Promise<StepHandlerResult> {
    return this.success({ method: "other" });
  }
}

/** A result with metadata. */
class Metadata extends StepHandler {
  static override handlerName = "metadata";
  static override handlerVersion = "2.1.0";

  async call(): Promise<StepHandlerResult> {
    return this.success({ ok: true }, { rows: 3 });
  }
}

const large = defineHandler("large", {}, ({ context }) => ({ text: "x".repeat(context.getConfig("bytes", 0)) }));

const deep = defineHandler("deep", {}, ({ context }) => {
  let value: unknown = null;
  for (let level = 0; level < context.getConfig("levels", 0); level += 1) {
    value = [value];
  }
  return value;
});

const unicode = defineHandler("unicode", {}, ({ context }) => RawJSON.of(context.inputText() ?? "null"));

const trace = defineHandler("trace", {}, ({ context }) => ({ traceparent: context.traceparent ?? null }));

const slow = defineHandler("slow", {}, async ({ context }) => {
  while (!existsSync(context.getConfig("file", ""))) {
    await context.sleep(0.01);
  }
  return {};
});

await runWorker([echo, Fail, checkpoint, progress, log, fetch, wait, Method, Metadata, large, deep, unicode, trace, slow], undefined, 4);
