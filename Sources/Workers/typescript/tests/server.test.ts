/** The real server, the client and a worker: STEPWELL_BIN names the built `stepwell`. */

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";

import { Client, ClientError } from "../src/index.js";
import { BIN, folderOf, Watched } from "./engine.js";

const TEMPLATE = `
name: orders
namespace_name: shop
version: 1.0.0
steps:
  - name: first
    handler: { callable: first }
  - name: second
    handler: { callable: second }
    dependencies: [first]
    retry: { max_attempts: 1 }
  - name: third
    handler: { callable: third }
    dependencies: [second]
`;

const HANDLERS = `
import { defineHandler, PermanentError } from "stepwell";
let isMended = false;
export const first = defineHandler("first", { inputs: { n: "n" } }, async ({ n, context }) => {
  await context.saveCheckpoint({ n });
  console.log("n is", n);
  return { n };
});
export const second = defineHandler("second", { depends: { first: "first" }, inputs: { mend: "mend" } }, ({ first, mend }) => {
  if (mend && !isMended) {
    isMended = true;
    throw new PermanentError("broken", { errorCode: "E7" });
  }
  return first.n + 1;
});
export const third = defineHandler("third", { depends: { far: "first", near: "second" } }, ({ far, near }) => [far.n, near]);
`;

class RealServer {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static start(folder: string, listen: string, ...more: string[]): Promise<RealServer> {
    const binary = process.env["STEPWELL_BIN"];
    if (!binary) {
      throw new Error("STEPWELL_BIN must name the built stepwell");
    }
    const words = ["serve", "--listen", listen, "--templates", folder, "--store", join(folder, "store"), ...more];
    const child = spawn(binary, words, { env: process.env });
    return new Promise((resolve, reject) => {
      let said = "";
      const hear = (text: unknown): void => {
        said += String(text);
        const url = /listening on (http:\/\/\S+)/.exec(said)?.[1];
        if (url) {
          resolve(new RealServer(child, url));
        }
      };
      child.stdout.setEncoding("utf8").on("data", hear);
      child.stderr.setEncoding("utf8").on("data", hear);
      child.on("close", () => reject(new Error(`the server has gone: ${said}`)));
    });
  }

  kill(): Promise<void> {
    return new Promise((resolve) => {
      this.child.on("close", () => resolve());
      this.child.kill("SIGKILL");
    });
  }
}

test("tasks, from the client to the worker and back, also after kill -9 of the server", async () => {
  const folder = folderOf({ "orders.yaml": TEMPLATE, "handlers.mjs": HANDLERS });
  let server = await RealServer.start(folder.path, "127.0.0.1:0");
  const client = new Client({ url: server.url, initiator: "ada" });
  const worker = new Watched(
    [process.execPath, BIN, join(folder.path, "handlers.mjs"), "--server", server.url, "--name", "box"], {},
  );
  try {
    const task = await client.createTask({ name: "orders", namespace: "shop", context: { n: 4 }, idempotencyKey: "one" });
    const done = await client.wait(task.task_id, 20);
    assert.deepEqual([done.state, done.steps["third"]?.result], ["complete", [4, 5]]);
    assert.equal((await client.createTask({ name: "orders", namespace: "shop", idempotencyKey: "one" })).task_id, task.task_id);
    assert.deepEqual((await client.getStep(task.task_id, "first")).result, { n: 4 });
    assert.deepEqual((await client.listTaskSteps(task.task_id)).map((step) => step.name), ["first", "second", "third"]);
    const history = await client.getStepAuditHistory(task.task_id, "first");
    assert(history.some((event) => event.type === "stepwell.step.completed"));

    const failing = await client.createTask({ name: "orders", namespace: "shop", context: { n: 1, mend: true } });
    const blocked = await client.wait(failing.task_id, 20);
    assert.deepEqual([blocked.state, blocked.steps["second"]?.error?.error_code], ["blocked_by_failures", "E7"]);
    await client.retryTask(failing.task_id, { reason: "mended" });
    assert.equal((await client.wait(failing.task_id, 20)).state, "complete");
    await assert.rejects(client.cancelTask(failing.task_id), (error: unknown) => error instanceof ClientError && error.code === "task_closed");
    await assert.rejects(client.getTask("nothing"), { code: "unknown_task", status: 404 });

    const { host } = new URL(server.url);
    await server.kill();
    server = await RealServer.start(folder.path, host);
    const many = await client.createTasks(Array.from({ length: 200 }, (_, n) => ({ name: "orders", namespace: "shop", context: { n } })));
    for (const [n, { task_id: id }] of many.entries()) {
      assert.deepEqual((await client.wait(id, 20)).steps["third"]?.result, [n, n + 1]);
    }
    const page = await client.listTasks({ namespace: "shop", status: "complete", limit: 5 });
    assert.equal(page.tasks.length, 5);
    assert((await client.listTasks({ cursor: page.next })).tasks.every((one) => page.tasks.every((other) => one.task_id !== other.task_id)));
    assert.equal((await client.healthCheck()).status, "ready");

    const local = new Client({ url: `unix:${join(folder.path, "store", "api.sock")}` });
    assert.equal((await local.getTask(task.task_id)).state, "complete");
    local.close();

    worker.child.kill("SIGTERM");
    assert.equal(await worker.ended, 0);
    assert.match(worker.errors, /does not answer.*\n.*answers again/);
  } finally {
    client.close();
    worker.child.kill("SIGKILL");
    await worker.ended;
    await server.kill();
    folder.remove();
  }
});

test("what an operator asks and says", async () => {
  const folder = folderOf({ "orders.yaml": TEMPLATE });
  const server = await RealServer.start(folder.path, "127.0.0.1:0", "--hold");
  const client = new Client({ url: server.url });
  try {
    assert.deepEqual([(await client.healthCheck()).held, await client.release("sound"), await client.release()], [true, true, false]);
    const limit = await client.setLimit("handler", "a/ü", { concurrencyMax: 4, rate: "100/min", burst: 20, reason: "asked for" });
    assert.deepEqual([await client.listLimits(), await client.getLimit("handler", "a/ü")], [[limit], limit]);
    await client.removeLimit("handler", "a/ü", "no more");
    await assert.rejects(client.getLimit("handler", "a/ü"), { code: "unknown_limit" });

    const { id } = await client.createWebhook({ url: "http://127.0.0.1:9/x", types: ["task.blocked"], disableAfter: 60 });
    assert.deepEqual((await client.listWebhooks()).map((webhook) => webhook.id), [id]);
    assert.deepEqual([(await client.getWebhook(id)).state, (await client.enableWebhook(id)).id], ["active", id]);
    assert.deepEqual([(await client.removeWebhook(id)).id, await client.listWebhooks()], [id, []]);

    assert.deepEqual(Object.keys((await client.getTemplate("shop", "orders")).steps), ["first", "second", "third"]);
    assert.match(await client.drawTemplate("shop", "orders", { format: "mermaid" }), /^graph TD/);
    assert.equal((await client.validateTemplate("name: a")).findings[0]?.line, 1);

    const { task_id: task } = await client.createTask({ name: "orders", namespace: "shop", context: { n: 4 } });
    assert.deepEqual((await client.planTask(task)).later, ["second", "third"]);
    await client.resolveStep(task, "first", { result: { n: 4 } });
    assert.deepEqual((await client.planFork(task, "second", { input: { n: 5 } })).reused, ["first"]);
    const fork = await client.forkTask(task, "second", { reason: "once more" });
    assert.equal((await client.diffTasks(task, fork.task_id)).alike, false);
    assert.match((await client.explainTask(task, "second")).sentences[0]?.text ?? "", /second/);
    assert.match(await client.drawTask(task), /second/);
    assert.match(await client.exportTask(task, ["/n"]), new RegExp(task));
    assert.deepEqual(await client.listLogLines(task, { step: "first" }), { lines: [], next: null });
    const page = await client.listEvents({ task, limit: 1 });
    assert.deepEqual(page.events.map((event) => [event.type, event.seq]), [["task.submitted", page.next_after]]);

    assert.deepEqual((await client.actOnTasks("pause", { dryRun: true })).tasks.length, 2);
    const done = await client.actOnTasks("cancel", { namespace: "shop", reason: "enough" });
    assert.deepEqual(done.tasks.map((one) => [one.task_id, one.done]), [[fork.task_id, true], [task, true]]);
    assert.equal((await client.pruneTasks("2100-01-01T00:00:00Z", { dryRun: true })).tasks, 2);
    assert.equal((await client.pruneTasks(new Date(0))).tasks, 0);
    assert.equal((await client.pruneTasks("2100-01-01T00:00:00Z", { tasks: [task], reason: "a test" })).tasks, 1);
    assert((await client.statistics()).events > 5);
    assert.deepEqual((await client.getState())["tasks"], []);
    assert.match(await client.metrics(), /^stepwell_/m);
    assert.deepEqual((await client.listWorkers()).map((worker) => worker.kind), ["command"]);
    await assert.rejects(client.drainWorker("nobody"), { code: "unknown_worker" });
  } finally {
    client.close();
    await server.kill();
    folder.remove();
  }
});
