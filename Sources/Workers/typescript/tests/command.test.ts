/** The command line, and how handlers are found. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";

import { DiscoveryError, findHandlers } from "../src/discovery.js";
import { parseOptions } from "../src/options.js";
import { BIN, folderOf } from "./engine.js";

const INDEX = new URL("../src/index.js", import.meta.url).href;

function handler(name: string, className = "A"): string {
  return `import { StepHandler } from ${JSON.stringify(INDEX)};
export class ${className} extends StepHandler { static handlerName = ${JSON.stringify(name)}; async call() { return this.success(); } }\n`;
}

function command(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [BIN, ...words], { encoding: "utf8", env: {} });
}

test("help and version", () => {
  const help = command("--help");
  assert.equal(help.status, 0);
  for (const option of ["--server", "--concurrency", "--name", "--namespace", "--label", "STEPWELL_TOKEN", "Examples:"]) {
    assert(help.stdout.includes(option), option);
  }
  assert.match(command("--version").stdout, /^\d+\.\d+\.\d+\n$/);
});

test("what makes no sense ends with status 2 and words", () => {
  const wrong: [string[], RegExp][] = [
    [["--colour", "red"], /no option --colour/],
    [[], /name the files/],
    [["x.js", "--concurrency", "0"], /1 to 1000/],
    [["x.js", "--concurrency=1e3"], /1 to 1000/],
    [["x.js", "--label", "=x"], /KEY=VALUE/],
    [["x.js", "--server"], /--server needs a value/],
    [["x.js", "--server", "nowhere"], /no address/],
    [["x.js"], /no server: give --server/],
  ];
  for (const [words, pattern] of wrong) {
    const done = command(...words);
    assert.deepEqual([done.status, done.stdout], [2, ""], words.join(" "));
    assert.match(done.stderr, pattern);
  }
});

test("options", () => {
  const options = parseOptions(["a.js", "--server=unix:/s", "b", "--namespace", "n", "--namespace", "ü", "--label", "k=v=w"], 7);
  assert.deepEqual([options.targets, options.server, options.concurrency], [["a.js", "b"], "unix:/s", 7]);
  assert.deepEqual([options.namespaces, options.labels], [["n", "ü"], { k: "v=w" }]);
});

test("what cannot be loaded ends with status 1 and the place", () => {
  const folder = folderOf({ "broken.mjs": "export const a = 1;\nthrow new Error('at once');\n", "empty.mjs": "export const a = 1;\n" });
  try {
    const cases: [string, RegExp][] = [
      ["nothing.mjs", /no such file or folder/], ["broken.mjs", /cannot import .*at once[^]*broken\.mjs:2/], ["empty.mjs", /no handlers found/],
    ];
    for (const [file, words] of cases) {
      const done = command(join(folder.path, file), "--server", "http://127.0.0.1:9");
      assert.equal(done.status, 1, file);
      assert.match(done.stderr, words);
    }
  } finally {
    folder.remove();
  }
});

test("a folder is searched all the way down, without what serves tests", async () => {
  const folder = folderOf({
    "a.mjs": handler("a"), "a.test.mjs": handler("a test"), ".hidden.mjs": handler("hidden"), "a.d.ts": "export {}", "b.ts": handler("typed"),
    "c.cjs": `module.exports = { handlers: [], no: null, get: () => 1 };`, "again.mjs": `export { A as default, A } from "./a.mjs";`,
  });
  try {
    for (const [place, name] of [["größe", "deep"], ["node_modules", "installed"], ["tests", "in tests"]] as const) {
      mkdirSync(join(folder.path, place));
      writeFileSync(join(folder.path, place, "x.mjs"), handler(name));
    }
    const names = [...(await findHandlers([folder.path])).keys()];
    const isTyped = Boolean(process.features.typescript);
    assert.deepEqual(names, isTyped ? ["a", "typed", "deep"] : ["a", "deep"]);
    if (!isTyped) {
      await assert.rejects(findHandlers([join(folder.path, "b.ts")]), /compile it with tsc and name b\.js/);
    }
  } finally {
    folder.remove();
  }
});

test("two handlers of one name, and handlers without one", async () => {
  const folder = folderOf({
    "a.mjs": handler("same"), "b.mjs": handler("same", "B"), "c.mjs": handler("", "Nameless"),
    "list.mjs": handler("l") + "const A2 = A; export default [A2];",
  });
  try {
    await assert.rejects(findHandlers([join(folder.path, "a.mjs"), join(folder.path, "b.mjs")]), /two handlers are named same:[^]*a\.mjs[^]*b\.mjs/);
    await assert.rejects(findHandlers([join(folder.path, "c.mjs")]), (error: unknown) =>
      error instanceof DiscoveryError && /no static handlerName: Nameless/.test(error.message));
    assert.deepEqual([...(await findHandlers([join(folder.path, "list.mjs")])).keys()], ["l"]);
  } finally {
    folder.remove();
  }
});
