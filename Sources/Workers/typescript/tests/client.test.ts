/** The client, with a server of the test's making. */

import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";

import { BadAddress, Client, ClientError, TaskerClient } from "../src/index.js";
import { folderOf } from "./engine.js";
import { type Asked, FakeServer } from "./fake_server.js";

async function withServer(body: (server: FakeServer, client: Client) => Promise<void>): Promise<void> {
  const server = await FakeServer.start();
  const client = new Client({ url: server.url, token: "secret", initiator: "ada", sourceSystem: "tests" });
  try {
    await body(server, client);
  } finally {
    client.close();
    await server.stop();
  }
}

/** What the client asks, answered with `document`. */
async function exchange<T>(server: FakeServer, call: Promise<T>, document: unknown, status = 200): Promise<[Asked, T]> {
  const asked = await server.next();
  asked.answer(status, document);
  return [asked, await call];
}

test("a task is created with everything that is known of it", () => withServer(async (server, client) => {
  const [asked, task] = await exchange(server, client.createTask({
    name: "nightly", namespace: "etl", context: { day: "2026-11-24" }, tags: ["x"], priority: 5, idempotencyKey: "k",
    correlationId: "c", parentCorrelationId: "p", reason: "why", version: "1.0.0", sourceSystem: "cron",
  }), { task_id: "t", state: "pending" }, 201);
  assert.deepEqual([asked.method, asked.path, asked.headers["authorization"]], ["POST", "/v1/tasks", "Bearer secret"]);
  assert.deepEqual(asked.body, {
    name: "nightly", namespace: "etl", version: "1.0.0", context: { day: "2026-11-24" }, priority: 5, tags: ["x"],
    correlation_id: "c", parent_correlation_id: "p", idempotency_key: "k", initiator: "ada", source_system: "cron", reason: "why",
  });
  assert.equal(task.task_id, "t");
  const [least] = await exchange(server, client.createTask({ name: "n" }), {});
  assert.deepEqual(least.body, { name: "n", namespace: "default", context: {}, initiator: "ada", source_system: "tests" });
}));

test("every method asks at its own address", () => withServer(async (server, client) => {
  const calls: [() => Promise<unknown>, string, unknown, unknown][] = [
    [() => client.createTasks([{ name: "n" }]), "POST /v1/tasks/batch", { tasks: [{ task_id: "t", created: true }] }, [{ task_id: "t", created: true }]],
    [() => client.getTask("a/ü"), "GET /v1/tasks/a%2F%C3%BC", { task_id: "t" }, { task_id: "t" }],
    [() => client.listTasks({ limit: 2, status: "complete", namespace: "n", cursor: null, idempotencyKey: "k" }),
      "GET /v1/tasks?limit=2&namespace=n&state=complete&key=k", { tasks: [], next: null }, { tasks: [], next: null }],
    [() => client.cancelTask("t", "why"), "POST /v1/tasks/t/cancel", {}, {}],
    [() => client.pauseTask("t", "why"), "POST /v1/tasks/t/pause", {}, {}],
    [() => client.resumeTask("t"), "POST /v1/tasks/t/resume", {}, {}],
    [() => client.resolveStep("t", "a b", { result: null }), "POST /v1/tasks/t/steps/a%20b/resolve", {}, {}],
    [() => client.putTemplate("{}"), "PUT /v1/templates", { name: "n" }, { name: "n" }],
    [() => client.listTemplates(), "GET /v1/templates", { templates: [3] }, [3]],
    [() => client.retryTask("t", { steps: ["s"] }), "POST /v1/tasks/t/retry", {}, {}],
    [() => client.listTaskSteps("t"), "GET /v1/tasks/t/steps", { steps: [1] }, [1]],
    [() => client.getStep("t", "s"), "GET /v1/tasks/t/steps/s", {}, {}],
    [() => client.getStepAuditHistory("t", "s"), "GET /v1/tasks/t/steps/s/audit", { events: [2] }, [2]],
    [() => client.healthCheck(), "GET /v1/health", { status: "ready" }, { status: "ready" }],
  ];
  for (const [call, wanted, document, answer] of calls) {
    const [asked, found] = await exchange(server, call(), document);
    assert.equal(`${asked.method} ${asked.path}`, wanted);
    assert.deepEqual(found, answer);
  }
}));

test("a template goes as YAML, a settled step with its result", () => withServer(async (server, client) => {
  const [template] = await exchange(server, client.putTemplate('{"name": "n"}'), {});
  assert.equal(template.headers["content-type"], "application/yaml");
  assert.deepEqual(template.body, { name: "n" });
  const [resolved] = await exchange(server, client.resolveStep("t", "s", { result: { n: 1 }, reason: "by hand" }), {});
  assert.deepEqual(resolved.body, { result: { n: 1 }, reason: "by hand" });
  const [without] = await exchange(server, client.resolveStep("t", "s"), {});
  assert.deepEqual(without.body, {});
}));

test("all tasks, page after page", () => withServer(async (server, client) => {
  const found: string[] = [];
  const all = (async () => {
    for await (const task of client.allTasks({ status: "complete" })) {
      found.push(task.task_id);
    }
  })();
  const first = await server.next();
  first.answer(200, { tasks: [{ task_id: "a" }], next: "c&d" });
  const second = await server.next();
  second.answer(200, { tasks: [{ task_id: "b" }], next: null });
  await all;
  assert.deepEqual([first.path, second.path], ["/v1/tasks?state=complete", "/v1/tasks?cursor=c%26d&state=complete"]);
  assert.deepEqual(found, ["a", "b"]);
}));

test("a task that replaces another is sent once", () => withServer(async (server, client) => {
  const created = client.createTask({ name: "n", idempotencyKey: "k", replace: true });
  const asked = await server.next();
  asked.drop();
  assert.equal(asked.body["replace"], true);
  await assert.rejects(created, { code: "unreachable" });
}));

test("wait asks until the task is settled, or its time is over", () => withServer(async (server, client) => {
  const waiting = client.wait("t", 100);
  const first = await server.next();
  assert.equal(first.path, "/v1/tasks/t?wait=30000ms");
  first.answer(200, { state: "in_progress" });
  const [, task] = await exchange(server, waiting, { state: "blocked_by_failures" });
  assert.equal(task.state, "blocked_by_failures");
  const brief = client.wait("t", 0);
  (await server.next()).answer(200, { state: "pending" });
  await assert.rejects(brief, { code: "wait_timeout", detail: "task t is pending after 0 s" });
}));

test("wait outlives a server that is away", () => withServer(async (server, client) => {
  const waiting = client.wait("t");
  (await server.next()).drop();
  for (const status of [503, 502, 504]) {
    (await server.next()).answer(status, "<html>", { "Retry-After": "0" });
  }
  (await server.next()).answer(200, { state: "in_progress" });
  (await server.next()).answer(502, "");
  const [, task] = await exchange(server, waiting, { state: "complete" });
  assert.equal(task.state, "complete");
}));

test("wait ends with what does not pass, and in time while the server is away", () => withServer(async (server, client) => {
  const refused = client.wait("t");
  (await server.next()).answer(404, { code: "unknown_task" });
  await assert.rejects(refused, { code: "unknown_task", mayPass: false });
  const brief = client.wait("t", 0);
  (await server.next()).answer(503, { code: "stopping" });
  await assert.rejects(brief, { code: "stopping", mayPass: true });
}));

test("errors have code, detail and cure", () => withServer(async (server, client) => {
  const refused = client.getTask("t");
  (await server.next()).answer(404, { code: "unknown_task", detail: "there is no task 't'", cure: "look" });
  await assert.rejects(refused, {
    name: "ClientError", code: "unknown_task", status: 404, message: "there is no task 't' (look)", cure: "look",
  });
  const busy = client.healthCheck();
  (await server.next()).answer(503, "<html>", { "Retry-After": "7" });
  await assert.rejects(busy, { code: "http_503", status: 503, retryAfter: 7 });
  const strange = client.healthCheck();
  (await server.next()).answer(200, "<html>");
  await assert.rejects(strange, { code: "not_json" });
  const cut = client.createTask({ name: "n" });
  (await server.next()).drop();
  await assert.rejects(cut, (error: unknown) => error instanceof ClientError && error.code === "unreachable" && /idempotency/.test(error.cure));
}));

test("several requests at once", () => withServer(async (server, client) => {
  const calls = ["a", "b", "c"].map((task) => client.getTask(task));
  for (let left = 3; left > 0; left -= 1) {
    const asked = await server.next();
    asked.answer(200, { task_id: asked.path.slice(-1) });
  }
  assert.deepEqual((await Promise.all(calls)).map((task) => task.task_id), ["a", "b", "c"]);
}));

test("a Unix socket", async () => {
  const folder = folderOf({});
  const server = await FakeServer.start(join(folder.path, "s"));
  const client = new TaskerClient({ url: server.url });
  try {
    const [asked] = await exchange(server, client.healthCheck(), {});
    assert.equal(asked.path, "/v1/health");
  } finally {
    client.close();
    await server.stop();
    folder.remove();
  }
});

test("addresses that are none", () => {
  for (const url of ["", "ftp://x", "localhost:7420", "unix:", "unix://x", "http://a:b@c", "http://x?y", "http://x:99999"]) {
    assert.throws(() => new Client({ url }), BadAddress as unknown as object, url);
  }
});

test("an address in the environment that is empty counts as none", () => {
  const before = process.env["STEPWELL_URL"];
  process.env["STEPWELL_URL"] = "";
  try {
    new Client().close();
  } finally {
    delete process.env["STEPWELL_URL"];
    Object.assign(process.env, before === undefined ? {} : { STEPWELL_URL: before });
  }
});

test("what JSON cannot hold is not sent", () => withServer(async (server, client) => {
  for (const [value, detail] of [[NaN, /request\.context\.a is NaN/], [new Map([[1, 2]]), /request\.context\.a is a Map/]] as const) {
    await assert.rejects(client.createTask({ name: "n", context: { a: value } }), { code: "not_json", detail });
  }
  const [asked] = await exchange(server, client.createTask({ name: "n", context: { a: 10n } }), {});
  assert.equal((asked.body as { context: { a: number } }).context.a, 10);
}));

test("nobody is there", async () => {
  const server = await FakeServer.start();
  await server.stop();
  await assert.rejects(new Client({ url: server.url }).healthCheck(), { code: "unreachable", status: 0 });
});
