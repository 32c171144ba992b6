/** The HTTP carrier: a real worker process, and a server of the test's making. Tests/WorkerConformance has more. */

import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";

import { BIN, folderOf, type Json, NAMES, Watched } from "./engine.js";
import { type Asked, FakeServer } from "./fake_server.js";

const HANDLERS = `
import { defineHandler } from "stepwell";
export const add = defineHandler("add", { inputs: { a: "a" } }, ({ a }) => a + 1);
export const large = defineHandler("large", {}, () => "x".repeat(3000));
export const waiting = defineHandler("waiting", {}, ({ context }) => context.sleep());
`;

function attempt(lease: number, handler: string, input: Json = {}): Json {
  return { ...NAMES, lease, handler, input };
}

function remote(
  name: string,
  args: string[],
  body: (server: FakeServer, worker: Watched) => Promise<void>,
  env: Record<string, string> = {},
): void {
  test(name, async () => {
    const server = await FakeServer.start();
    const folder = folderOf({ "handlers.mjs": HANDLERS });
    const words = [process.execPath, BIN, join(folder.path, "handlers.mjs"), "--server", server.url, ...args];
    const worker = new Watched(words, env);
    try {
      await body(server, worker);
    } finally {
      worker.child.kill("SIGKILL");
      await worker.ended;
      await server.stop();
      folder.remove();
    }
  });
}

remote("it registers with what it was told", ["--name", "etl", "--namespace", "a", "--label", "zone=b=c"], async (server) => {
  const hello = await server.nextOf("/v1/workers");
  assert.equal(hello.headers["authorization"], "Bearer secret");
  assert.deepEqual(
    [hello.body["name"], hello.body["namespaces"], hello.body["labels"], hello.body["concurrency"]],
    ["etl", ["a"], { zone: "b=c" }, 32],
  );
}, { STEPWELL_TOKEN: "secret" });

remote("what ends together is delivered together", [], async (server) => {
  const leases = Array.from({ length: 32 }, (_, index) => index + 1);
  await server.register("w", ...leases.map((lease) => attempt(lease, "add", { a: lease })));
  const delivery = await server.nextOf("/messages");
  assert.equal(delivery.body["number"], 1);
  assert.deepEqual(
    delivery.body["messages"].map((it: Json) => [it["type"], it["lease"], it["result"]]),
    leases.map((lease) => ["result", lease, lease + 1]),
  );
});

remote("a full worker polls for news alone, and for attempts when a place is free", ["--concurrency", "1"], async (server) => {
  const { poll } = await server.register("w", attempt(1, "waiting"));
  assert.deepEqual(poll.body, { after: 1, wait_ms: 20000, attempts_max: 0 });
  poll.answer(200, { number: 2, messages: [{ type: "cancel", lease: 1, reason: "timeout" }] });
  const delivery = await server.nextOf("/messages");
  assert.deepEqual(delivery.body["messages"], [{ type: "stopped", lease: 1 }]);
  delivery.answer(200, { messages: [] });
  let next = await server.nextOf("/poll");
  while (next.body["attempts_max"] === 0) {
    next = await server.nextOf("/poll");
  }
  assert.deepEqual(next.body, { after: 2, wait_ms: 20000, attempts_max: 1 });
});

remote("a delivery whose answer was lost is repeated as it was", [], async (server) => {
  await server.register("w", attempt(1, "add", { a: 1 }));
  const first = await server.nextOf("/messages");
  first.drop();
  const second = await server.nextOf("/messages");
  assert.deepEqual(second.body, first.body);
  second.answer(503, { code: "unavailable", detail: "busy" }, { "Retry-After": "0" });
  const third = await server.nextOf("/messages");
  assert.deepEqual(third.body, first.body);
});

remote("after unknown_worker it registers again and delivers what is left", [], async (server, worker) => {
  const { poll } = await server.register("old", attempt(1, "waiting"), attempt(2, "add", { a: 1 }));
  const late = await server.nextOf("/messages");
  poll.answer(404, { code: "unknown_worker", detail: "who are you?" });
  await server.register("new");
  late.answer(404, { code: "unknown_worker", detail: "who are you?" });
  const delivered: Json[] = [];
  for (let number = 1; delivered.length < 2; number += 1) {
    const delivery = await server.nextOf("/v1/workers/new/messages");
    assert.equal(delivery.body["number"], number);
    delivered.push(...delivery.body["messages"]);
    delivery.answer(200, { messages: delivery.body["messages"].map((it: Json) => ({ type: "rejected", lease: it["lease"], reason: "late" })) });
  }
  assert.deepEqual(delivered.map((it) => [it["type"], it["lease"]]).sort(), [["result", 2], ["stopped", 1]]);
  assert.equal(worker.errors, "");
});

remote("what is too large for the server is split, and what is too large alone fails", [], async (server) => {
  await server.register("w", attempt(1, "large"), attempt(2, "add", { a: 1 }));
  const found: Json[] = [];
  while (found.length < 2) {
    const delivery = await server.nextOf("/messages");
    const text = JSON.stringify(delivery.body);
    if (text.length > 2000) {
      delivery.answer(413, { code: "body_too_large", detail: "at most 2000 bytes" });
    } else {
      found.push(...delivery.body["messages"]);
      delivery.answer(200, { messages: [] });
    }
  }
  assert.deepEqual(found.map((it) => [it["lease"], it["type"], it["error_type"]]), [
    [1, "failure", "result_too_large"], [2, "result", undefined],
  ]);
});

remote("SIGTERM: no further attempts, the rest is delivered, drained, 0", [], async (server, worker) => {
  const { poll } = await server.register("w", attempt(1, "waiting"));
  assert.equal(poll.body["attempts_max"], 31);
  worker.child.kill("SIGTERM");
  const last = await server.nextOf("/poll");
  assert.deepEqual(last.body, { after: 1, wait_ms: 0, attempts_max: 0 });
  // Given before the server heard of the end: it runs.
  last.answer(200, { number: 2, messages: [attempt(2, "add", { a: 5 }), { type: "cancel", lease: 1, reason: "cancelled" }] });
  const said: Json[] = [];
  while (said.at(-1)?.["type"] !== "drained") {
    const delivery = await server.nextOf("/messages");
    said.push(...delivery.body["messages"]);
    delivery.answer(200, { messages: [] });
  }
  assert.deepEqual(said.map((it) => it["type"]).sort(), ["drained", "result", "stopped"]);
  assert.equal(await worker.ended, 0);
});

remote("a worker that has delivered everything does not wait for a server that is gone", [], async (server, worker) => {
  await server.register("w");
  worker.child.kill("SIGTERM");
  (await server.nextOf("/poll")).answer(200, { number: 0, messages: [] });
  const delivery = await server.nextOf("/messages");
  assert.deepEqual(delivery.body["messages"], [{ type: "drained" }]);
  delivery.drop();
  await server.stop();
  assert.equal(await worker.ended, 0);
});

remote("a worker that has no server yet leaves at SIGTERM", [], async (server, worker) => {
  const hello = await server.nextOf("/v1/workers");
  hello.answer(503, { code: "starting", detail: "not yet" }, { "Retry-After": "200" });
  await new Promise<void>((resolve) => worker.child.stderr.on("data", () => resolve()));
  worker.child.kill("SIGTERM");
  assert.equal(await worker.ended, 0);
  assert.match(worker.errors, /does not answer: not yet/);
});

for (const [status, code, exit] of [[401, "unauthorized", 77], [403, "forbidden", 77], [409, "protocol_version", 76], [422, "invalid", 1]] as const) {
  remote(`a registration answered with ${status} ${code} ends it with ${exit}`, [], async (server, worker) => {
    (await server.nextOf("/v1/workers")).answer(status, { code, detail: "the words", cure: "the cure" });
    assert.equal(await worker.ended, exit);
    assert.match(worker.errors, /the words; the cure/);
  });
}

remote("an answer that makes no sense ends it with words", [], async (server, worker) => {
  (await server.nextOf("/v1/workers")).answer(201, { type: "welcome" });
  assert.equal(await worker.ended, 1);
  assert.match(worker.errors, /cannot read the server's answer: welcome has no worker_id/);
});

remote("a fetch is answered in the answer to its delivery", [], async (server) => {
  const asked: Asked[] = [];
  await server.register("w", { ...attempt(1, "add"), dependency_names: ["a"], fetchable: ["a"] });
  const question = await server.nextOf("/messages");
  asked.push(question);
  const [fetch] = question.body["messages"] as Json[];
  assert.deepEqual([fetch?.["type"], fetch?.["step"]], ["fetch", "a"]);
  question.answer(200, { messages: [{ type: "fetched", lease: 1, id: fetch?.["id"], error: "it is gone" }] });
  const end = await server.nextOf("/messages");
  assert.match(end.body["messages"][0]["message"], /it is gone/);
});
