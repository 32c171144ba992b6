/** The protocol, spoken by a real worker process with an engine that is a script. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { NAMES, ScriptedEngine } from "./engine.js";

const HANDLERS = `
import { spawnSync } from "node:child_process";
import { defineHandler, PermanentError, RawJSON, StepHandler } from "stepwell";

export class Echo extends StepHandler {
  static handlerName = "echo";
  static handlerVersion = "2.1.0";

  async call(context) {
    return this.success(
      { input: context.inputData, near: context.getDependencyResult("near"), step: context.stepName },
      { by: "echo" },
    );
  }

  shout(context) {
    return this.success(context.getInput("text").toUpperCase());
  }
}

export const greet = defineHandler("greet.größe", { inputs: { name: "name" } }, ({ name }) => \`hé \${name} 🌍\`);

export const give = defineHandler("give", {}, ({ context }) =>
  new Function("RawJSON", "context", "return " + context.getInput("code"))(RawJSON, context));

export const far = defineHandler("far", { depends: { rows: "rows" } }, ({ rows }) => rows);

export class Near extends StepHandler {
  static handlerName = "near";

  async call(context) {
    return this.success(context.getDependencyResult("rows"));
  }
}

export const sayings = defineHandler("sayings", {}, async ({ context }) => {
  console.log("a %d", 1);
  process.stdout.write("be");
  await null;
  process.stdout.write("gun\\nunfinished");
  console.warn("careful");
  console.error("two\\nlines");
  context.log.debug("detail");
  spawnSync("echo", ["from a child"], { stdio: "inherit" });
});

export const asleep = defineHandler("asleep", {}, async ({ context }) => {
  context.heartbeat();
  try {
    await context.sleep();
  } finally {
    console.log("tidied up");
  }
});

export const fetching = defineHandler("fetching", {}, async ({ context }) => {
  context.heartbeat();
  await new Promise((resolve, reject) => context.signal.addEventListener("abort", () => reject(new Error("aborted"))));
});

export const polite = defineHandler("polite", {}, async ({ context }) => {
  context.heartbeat();
  while (!context.isCancelled) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return context.cancelReason;
});

export const saving = defineHandler("saving", {}, async ({ context }) => {
  await Promise.all([context.saveCheckpoint({ page: 1 }), context.saveCursor(7, 3)]);
  return [context.checkpointCursor, context.checkpointItemsProcessed, context.accumulatedResults];
});

export const stray = defineHandler("stray", {}, () => new Promise(() => {
  setTimeout(() => { throw new PermanentError("stray"); }, 0);
}));
`;

function conversation(name: string, body: (engine: ScriptedEngine) => Promise<void>, welcome = {}, args: string[] = [], pipe = false): void {
  test(name, async () => {
    const engine = await ScriptedEngine.start(HANDLERS, welcome, args, pipe);
    try {
      await body(engine);
    } finally {
      await engine.stop();
    }
  });
}

conversation("hello names handlers, versions and concurrency", async ({ hello }) => {
  assert.equal(hello["type"], "hello");
  assert.equal(hello["protocol"], 1);
  assert.equal(hello["concurrency"], 3);
  assert.match(hello["sdk"], /^stepwell-typescript \d/);
  const versions = Object.fromEntries(hello["handlers"].map((it: { name: string; version: string }) => [it.name, it.version]));
  assert.equal(versions["echo"], "2.1.0");
  assert.equal(versions["greet.größe"], "1.0.0");
}, {}, ["--concurrency", "3"]);

conversation("an attempt is answered with its result", async (engine) => {
  const answer = await engine.run("echo", { input: { a: [1, null] }, dependencies: { near: { c: 3.5 } } });
  assert.equal(answer["type"], "result");
  assert.deepEqual(answer["metadata"], { by: "echo" });
  assert.deepEqual(answer["result"], { input: { a: [1, null] }, near: { c: 3.5 }, step: "the_step" });
  assert.equal((await engine.run("greet.größe", { input: { name: "Łucja 李" } }))["result"], "hé Łucja 李 🌍");
});

conversation("methods are dispatched and unknown ones fail for good", async (engine) => {
  assert.equal((await engine.run("echo", { method: "shout", input: { text: "a" } }))["result"], "A");
  const wrong = [
    ["echo", "whisper"], ["echo", "success"], ["echo", "constructor"], ["echo", "toString"], ["echo", "__proto__"],
    ["give", "other"], ["nobody", "call"],
  ] as const;
  for (const [handler, method] of wrong) {
    const answer = await engine.run(handler, { method });
    assert.deepEqual([answer["type"], answer["error_type"], answer["retryable"]], ["failure", "permanent_error", false], method);
  }
});

conversation("results that are not JSON fail for good and name the place", async (engine) => {
  const cases = [
    ["({ rows: [{ price: NaN }] })", /result\.rows\[0\]\.price is NaN/],
    ["[new Map([[1, 2]])]", /result\[0\] is a Map/],
    ["({ later: Promise.resolve(1) })", /result\.later is a Promise.*await/],
    ["(() => { const a = {}; a.a = a; return a; })()", /contains itself/],
    ["'\\ud800'", /not valid Unicode/],
    ["(() => 1)", /function/],
  ] as const;
  for (const [code, words] of cases) {
    const answer = await engine.run("give", { input: { code } });
    assert.deepEqual([answer["error_type"], answer["retryable"]], ["result_not_json", false], code);
    assert.match(answer["message"], words);
  }
  assert.equal((await engine.run("give", { input: { code: "undefined" } }))["result"], null);
});

conversation("numbers that JavaScript does not have are kept as text", async (engine) => {
  engine.sendText(
    `${JSON.stringify({ type: "attempt", lease: 90, handler: "give", method: "call" }).slice(0, -1)},"input":` +
    `{"code":"({ all: RawJSON.of(context.inputText('deep','n')), big: 12345678901234567890n, n: null })","deep":{"n":[1.0, 1e400]}},` +
    `"config":{},"dependencies":{},"fetchable":[],"dependency_names":[],"attempt":1,"max_attempts":1}\n`,
  );
  assert.match(await engine.readText(), /"result":\{"all":\[1\.0, 1e400\],"big":12345678901234567890,"n":null\}/);
});

conversation("results and checkpoints over the limit fail for good", async (engine) => {
  const answer = await engine.run("give", { input: { code: "'ü'.repeat(60)" } });
  assert.deepEqual([answer["error_type"], answer["retryable"]], ["result_too_large", false]);
  assert.match(answer["message"], /122 bytes; the limit is 100/);
  const refused = await engine.run("give", { input: { code: "context.saveCheckpoint('x'.repeat(101))" } });
  assert.match(refused["message"], /the checkpoint is 103 bytes/);
}, { result_bytes_max: 100 });

conversation("far results come before the handler begins, as do large direct ones", async (engine) => {
  for (const [handler, members] of [["far", {}], ["near", { dependency_names: ["rows"] }]] as const) {
    engine.attempt(handler, { fetchable: ["rows", "others"], ...members });
    const question = await engine.read();
    assert.deepEqual([question["type"], question["step"]], ["fetch", "rows"]);
    engine.send({ type: "fetched", lease: question["lease"], id: question["id"], result: [1, 2] });
    assert.deepEqual((await engine.read())["result"], [1, 2]);
  }
  const failure = await engine.run("near", { fetchable: ["rows"] });
  assert.match(failure["message"], /fetchDependencyResult\("rows"\)/);
});

conversation("what a handler prints goes to its step's log", async (engine) => {
  engine.attempt("sayings");
  const lines: unknown[] = [];
  for (let message = await engine.read(); message["type"] === "log"; message = await engine.read()) {
    lines.push([message["level"], message["text"]]);
  }
  assert.deepEqual(lines, [
    ["info", "a 1"], ["info", "begun"], ["warning", "careful"], ["error", "two"], ["error", "lines"], ["debug", "detail"],
    ["info", "unfinished"],
  ]);
  engine.send({ type: "drain" });
  assert.equal((await engine.read())["type"], "drained");
  assert.equal(await engine.worker.ended, 0);
  assert.match(engine.worker.errors, /from a child/);
}, {}, [], true);

conversation("a cancelled attempt stops where it waits", async (engine) => {
  for (const handler of ["asleep", "fetching"]) {
    const lease = engine.attempt(handler);
    assert.equal((await engine.read())["type"], "heartbeat");
    engine.send({ type: "cancel", lease, reason: "timeout" });
    if (handler === "asleep") {
      assert.equal((await engine.read())["text"], "tidied up");
    }
    assert.deepEqual(await engine.read(), { type: "stopped", lease });
  }
  const lease = engine.attempt("polite");
  await engine.read();
  engine.send({ type: "cancel", lease, reason: "shutdown" });
  assert.equal((await engine.read())["result"], "shutdown");
});

conversation("two checkpoints at once are saved one after the other", async (engine) => {
  const lease = engine.attempt("saving");
  for (const data of [{ page: 1 }, { cursor: 7, items_processed: 3, accumulated_results: null }]) {
    assert.deepEqual((await engine.read())["data"], data);
    engine.send({ type: "checkpointed", lease });
  }
  assert.deepEqual((await engine.read())["result"], [7, 3, null]);
});

conversation("what nobody catches fails the attempt that it comes from", async (engine) => {
  const answer = await engine.run("stray");
  assert.deepEqual([answer["message"], answer["error_type"]], ["stray", "permanent_error"]);
  assert.equal((await engine.run("echo"))["type"], "result");
});

conversation("SIGTERM lets the attempts at hand end and refuses others", async (engine) => {
  const lease = engine.attempt("asleep");
  await engine.read();
  engine.worker.child.kill("SIGTERM");
  engine.send({ type: "cancel", lease, reason: "cancelled" });
  assert.equal((await engine.read())["type"], "log");
  assert.equal((await engine.read())["type"], "stopped");
  assert.equal((await engine.read())["type"], "drained");
  assert.equal(await engine.worker.ended, 0);
});

conversation("a line cut in two anywhere is read whole", async (engine) => {
  const text = JSON.stringify({ ...NAMES, lease: 5, handler: "greet.größe", input: { name: "李🌍" } });
  for (const part of [text.slice(0, 40), text.slice(40), "\n"]) {
    engine.sendText(part);
  }
  assert.equal((await engine.read())["result"], "hé 李🌍 🌍");
});

conversation("the end of the input ends the worker at once", async (engine) => {
  engine.attempt("asleep");
  await engine.read();
  engine.worker.child.stdin.end();
  assert.equal(await engine.worker.ended, 0);
});
