/** What an operator asks and says with the client, with a server of the test's making. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Client, type Limit, type Plan, type Webhook } from "../src/index.js";
import { FakeServer } from "./fake_server.js";

async function withServer(body: (server: FakeServer, client: Client) => Promise<void>): Promise<void> {
  const server = await FakeServer.start();
  const client = new Client({ url: server.url });
  try {
    await body(server, client);
  } finally {
    client.close();
    await server.stop();
  }
}

/** A call, the answer to it, what it is to ask, and with which body. */
type Row = [call: (client: Client) => Promise<unknown>, answer: unknown, wanted: string, body?: unknown, found?: unknown];

/** Each call asks what it is to ask, and resolves to the answer unless `found` says otherwise. */
function holds(name: string, rows: Row[]): void {
  test(name, () => withServer(async (server, client) => {
    for (const [call, answer, wanted, body = {}, found = answer] of rows) {
      const calling = call(client);
      const asked = await server.next();
      asked.answer(200, answer);
      assert.deepEqual([`${asked.method} ${asked.path}`, asked.body], [wanted, body]);
      assert.deepEqual(await calling, found);
    }
  }));
}

const LIMIT: Limit = {
  scope: "handler", name: "a/ü", concurrency_max: 4, rate: "100/min", burst: 20, running: 1, waiting: 2, due_at: null,
  set_at: "2026-11-24T21:44:25.791Z", set_by: "ann", reason: null,
};

holds("limits", [
  [(it) => it.listLimits(), { limits: [LIMIT] }, "GET /v1/limits", {}, [LIMIT]],
  [(it) => it.getLimit("handler", "a/ü"), LIMIT, "GET /v1/limits/handler/a%2F%C3%BC"],
  [(it) => it.setLimit("handler", "a/ü", { concurrencyMax: 4, rate: "100/min", burst: 20, reason: "why" }), LIMIT,
    "PUT /v1/limits/handler/a%2F%C3%BC", { concurrency_max: 4, rate: "100/min", burst: 20, reason: "why" }],
  [(it) => it.setLimit("namespace", "n", { concurrencyMax: 0 }), LIMIT, "PUT /v1/limits/namespace/n", { concurrency_max: 0 }],
]);

const WEBHOOK: Partial<Webhook> = { id: "ced9", url: "u", state: "failing", after: 7, lag: 3, last_error: "no" };

holds("webhooks", [
  [(it) => it.createWebhook({ url: "u", types: ["task.completed"], namespaces: ["n"], tasks: ["t"], secret: "secret:k", after: 0, disableAfter: 60 }),
    WEBHOOK, "POST /v1/webhooks",
    { url: "u", types: ["task.completed"], namespaces: ["n"], tasks: ["t"], secret: "secret:k", after: 0, disable_after_s: 60 }],
  [(it) => it.createWebhook({ url: "u" }), WEBHOOK, "POST /v1/webhooks", { url: "u" }],
  [(it) => it.listWebhooks(), { webhooks: [WEBHOOK] }, "GET /v1/webhooks", {}, [WEBHOOK]],
  [(it) => it.getWebhook("a/b"), WEBHOOK, "GET /v1/webhooks/a%2Fb"],
  [(it) => it.enableWebhook("w"), WEBHOOK, "POST /v1/webhooks/w/enable"],
  [(it) => it.enableWebhook("w", 0), WEBHOOK, "POST /v1/webhooks/w/enable", { after: 0 }],
  [(it) => it.removeWebhook("w"), WEBHOOK, "DELETE /v1/webhooks/w"],
]);

holds("templates", [
  [(it) => it.putTemplate("{}", "fast"), { name: "n" }, "PUT /v1/templates?environment=fast"],
  [(it) => it.getTemplate("n", "a/b"), { steps: {} }, "GET /v1/templates/n/a%2Fb"],
  [(it) => it.getTemplate("n", "a", "1"), { steps: {} }, "GET /v1/templates/n/a?version=1"],
  [(it) => it.drawTemplate("n", "a"), "a\n└─ b\n", "GET /v1/templates/n/a/graph"],
  [(it) => it.drawTemplate("n", "a", { version: "1", format: "dot" }), "graph", "GET /v1/templates/n/a/graph?version=1&format=dot"],
  [(it) => it.validateTemplate('{"a":1}'), { valid: true, findings: [] }, "POST /v1/templates/validate", { a: 1 }],
  [(it) => it.validateTemplate("{}", "fast"), { valid: true, findings: [] }, "POST /v1/templates/validate?environment=fast"],
]);

const PLAN: Plan = { reused: ["a"], replaced: [], next: ["b"], later: ["c"], held: [] };
const FORK = { input: { a: 1 }, results: { a: null }, version: "2" };

holds("the past, and what would be", [
  [(it) => it.listEvents(), { events: [], next_after: 0 }, "GET /v1/events"],
  [(it) => it.listEvents({ task: "t", after: 2, limit: 1 }), { events: [], next_after: 2 }, "GET /v1/tasks/t/events?after=2&limit=1"],
  [(it) => it.listLogLines("t", { step: "add", limit: 5, cursor: "7-2" }), { lines: [], next: null }, "GET /v1/tasks/t/logs?step=add&limit=5&cursor=7-2"],
  [(it) => it.explainTask("t"), { sentences: [] }, "GET /v1/tasks/t/explain"],
  [(it) => it.explainTask("t", "a b"), { sentences: [] }, "GET /v1/tasks/t/explain?step=a+b"],
  [(it) => it.drawTask("t", "mermaid"), "graph TD\n", "GET /v1/tasks/t/graph?format=mermaid"],
  [(it) => it.diffTasks("t", "u/v"), { alike: true }, "GET /v1/tasks/t/diff/u%2Fv"],
  [(it) => it.exportTask("t"), "{}\n{}\n", "GET /v1/tasks/t/export"],
  [(it) => it.exportTask("t", ["/a", "/b"]), "{}", "GET /v1/tasks/t/export?redact=%2Fa&redact=%2Fb"],
  [(it) => it.planTask("t"), PLAN, "GET /v1/tasks/t/plan"],
  [(it) => it.planFork("t", "b", FORK), PLAN, "POST /v1/tasks/t/fork?dry_run=true", { from: "b", ...FORK }],
  [(it) => it.forkTask("t", "b", { ...FORK, reason: "mended" }), { task_id: "u" }, "POST /v1/tasks/t/fork", { from: "b", ...FORK, reason: "mended" }],
]);

const PRUNED = { dry_run: true, before: "2026-11-24T00:00:00.000Z", tasks: 3, events: 30 };
const BULK = { action: "retry", dry_run: false, tasks: [] };

holds("the server, its workers, and many tasks", [
  [(it) => it.actOnTasks("retry", { namespace: "n", name: "a", status: "blocked_by_failures", reason: "why", limit: 5 }), BULK,
    "POST /v1/tasks/bulk", { action: "retry", namespace: "n", name: "a", state: "blocked_by_failures", reason: "why", limit: 5 }],
  [(it) => it.actOnTasks("pause", { dryRun: true }), BULK, "POST /v1/tasks/bulk", { action: "pause", dry_run: true }],
  [(it) => it.pruneTasks(new Date("2026-11-24T01:00:00+01:00"), { tasks: ["t"], reason: "old", dryRun: true }), PRUNED,
    "POST /v1/prune?dry_run=true", { before: "2026-11-24T00:00:00.000Z", tasks: ["t"], reason: "old" }],
  [(it) => it.pruneTasks("2026-11-24T00:00:00Z"), PRUNED, "POST /v1/prune", { before: "2026-11-24T00:00:00Z" }],
  [(it) => it.listWorkers(), { workers: [{ name: "box" }] }, "GET /v1/workers", {}, [{ name: "box" }]],
  [(it) => it.release("sound"), { released: true, held: false }, "POST /v1/release", { reason: "sound" }, true],
  [(it) => it.statistics(), { store_id: "s", events: 7, commits: 6 }, "GET /v1/stats"],
  [(it) => it.metrics(), "a 1\n", "GET /v1/metrics"],
  [(it) => it.getState(), { seq: 3 }, "GET /v1/state"],
  [(it) => it.getState("-10m"), { seq: 3 }, "GET /v1/state?at=-10m"],
]);

test("what has no answer but that it is done", () => withServer(async (server, client) => {
  const calls: [() => Promise<void>, number, string][] = [
    [() => client.removeLimit("handler", "x", "not now"), 204, "DELETE /v1/limits/handler/x?reason=not+now"],
    [() => client.drainWorker("w"), 202, "POST /v1/workers/w/drain"],
  ];
  for (const [call, status, wanted] of calls) {
    const calling = call();
    const asked = await server.next();
    asked.answer(status, "");
    assert.equal(`${asked.method} ${asked.path}`, wanted);
    assert.equal(await calling, undefined);
    const refused = call();
    (await server.next()).answer(404, { code: "unknown_limit", detail: "there is none" });
    await assert.rejects(refused, { code: "unknown_limit", status: 404 });
  }
  const drawing = client.drawTask("t");
  (await server.next()).answer(404, { code: "unknown_task", detail: "there is none" });
  await assert.rejects(drawing, { code: "unknown_task" });
}));

test("all log lines, page after page", () => withServer(async (server, client) => {
  const found: string[] = [];
  const all = (async () => {
    for await (const line of client.allLogLines("t", { step: "add" })) {
      found.push(line.text);
    }
  })();
  const first = await server.next();
  first.answer(200, { lines: [{ text: "a" }, { text: "b" }], next: "7-2" });
  const second = await server.next();
  second.answer(200, { lines: [{ text: "c" }], next: null });
  await all;
  assert.deepEqual([first.path, second.path], ["/v1/tasks/t/logs?step=add", "/v1/tasks/t/logs?step=add&cursor=7-2"]);
  assert.deepEqual(found, ["a", "b", "c"]);
}));
