/** What is committed in dist/ is what the sources compile to. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { VERSION } from "../src/version.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

test("dist holds what tsc makes of src, and nothing else", () => {
  const fresh = mkdtempSync(join(tmpdir(), "stepwell-dist-"));
  try {
    const done = spawnSync("tsc", ["-p", join(ROOT, "tsconfig.dist.json"), "--outDir", fresh], { encoding: "utf8" });
    assert.equal(done.status, 0, done.stdout);
    const names = readdirSync(fresh).sort();
    assert.deepEqual(readdirSync(join(ROOT, "dist")).sort(), names, "compile it: tsc -p Sources/Workers/typescript/tsconfig.dist.json");
    for (const name of names) {
      const committed = readFileSync(join(ROOT, "dist", name), "utf8");
      assert.equal(committed, readFileSync(join(fresh, name), "utf8"), `${name} is out of date`);
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
});

test("the package has no dependencies, and one version", () => {
  const description = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  assert.equal(description.version, VERSION);
  assert.deepEqual(Object.keys(description).filter((key) => /dependencies/i.test(key)), []);
});

test("only few sources know Node, and the types name none of its modules", () => {
  const edges = ["asking", "bin", "command", "discovery", "output", "remote", "streams", "transport"];
  const importers = readdirSync(join(ROOT, "src")).filter((name) => name !== "node.d.ts")
    .filter((name) => /from "node:/.test(readFileSync(join(ROOT, "src", name), "utf8")));
  assert.deepEqual(importers.sort(), edges.map((name) => `${name}.ts`));
  const typed = readdirSync(join(ROOT, "dist")).filter((name) => name.endsWith(".d.ts"))
    .filter((name) => /from "node:/.test(readFileSync(join(ROOT, "dist", name), "utf8")));
  // The last two are used by no type that index.d.ts names.
  assert.deepEqual(typed, ["output.d.ts"]);
});
