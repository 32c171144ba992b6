/** Handlers in the form of Tasker's, with not one line changed. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { ErrorType, RetryableError, StepHandler, TaskerClient, TaskerError } from "../src/tasker.js";
import { FakeEngine, runHandler } from "../src/testing.js";
import { VERSION } from "../src/version.js";
import { ScriptedEngine } from "./engine.js";

const ROOT = new URL("../../", import.meta.url);

const HANDLERS = `
import { defineHandler, ErrorType, PermanentError, StepHandler } from '@tasker-systems/tasker';

export class ReserveHandler extends StepHandler {
  static handlerName = 'Shop.StepHandlers.ReserveHandler';
  static handlerVersion = '1.0.0';

  async call(context) {
    const order = context.getDependencyResult('place_order');
    if (order.units > context.getInputOr('stock', 10)) {
      return this.failure('out of stock', ErrorType.RESOURCE_UNAVAILABLE, true, { wanted: order.units }, 'NO_STOCK');
    }
    return this.success({ reserved: order.units }, { step_type: 'reserve' });
  }
}

export const BillHandler = defineHandler(
  'Shop.StepHandlers.BillHandler',
  { depends: { order: 'place_order' }, inputs: { price: 'unit_price' } },
  async ({ order, price }) => {
    if (price === undefined) {
      throw new PermanentError('no price', { field: 'unit_price' });
    }
    return { due: order.units * price };
  },
);
`;

test("the worker runs them, far results included", async () => {
  const engine = await ScriptedEngine.start(HANDLERS);
  try {
    engine.attempt("Shop.StepHandlers.ReserveHandler", { fetchable: ["place_order"] });
    const question = await engine.read();
    assert.equal(question["step"], "place_order");
    engine.send({ type: "fetched", lease: question["lease"], id: question["id"], result: { units: 12 } });
    const failure = await engine.read();
    assert.deepEqual(
      [failure["error_type"], failure["error_code"], failure["retryable"], failure["metadata"]],
      ["resource_unavailable", "NO_STOCK", true, { wanted: 12 }],
    );
    const near = { dependencies: { place_order: { units: 2 } }, dependency_names: ["place_order"] };
    assert.deepEqual((await engine.run("Shop.StepHandlers.ReserveHandler", near))["result"], { reserved: 2 });
    assert.deepEqual((await engine.run("Shop.StepHandlers.BillHandler", { ...near, input: { unit_price: 4 } }))["result"], { due: 8 });
    const refused = await engine.run("Shop.StepHandlers.BillHandler", near);
    assert.deepEqual([refused["retryable"], refused["metadata"]["field"]], [false, "unit_price"]);
  } finally {
    await engine.stop();
  }
});

test("the names that Tasker's authors know", async () => {
  assert(new RetryableError("x") instanceof TaskerError);
  assert.equal(typeof TaskerClient, "function");
  assert.equal(ErrorType.NETWORK_ERROR, "network_error");
  class Sum extends StepHandler {
    static override handlerName = "sum";

    async call(context: Parameters<StepHandler["call"]>[0]) {
      return this.success(context.getAllDependencyResults<number>("part_").reduce((sum, part) => sum + part, 0));
    }
  }
  const engine = new FakeEngine({ part_1: 1, part_2: 2, other: 40 });
  assert.equal((await runHandler(Sum, { engine, dependencies: { part_3: 3 } })).result, 6);
});

test("the package of that name leads here", async () => {
  const files = JSON.parse(readFileSync(new URL("tasker/package.json", ROOT).pathname, "utf8"));
  assert.deepEqual([files.name, files.version], ["@tasker-systems/tasker", VERSION]);
  const module = await import(new URL("tasker/index.js", ROOT).href);
  assert.equal(typeof module.StepHandler, "function");
});
