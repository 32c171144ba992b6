/** What README.md tells people to type works as it is written there. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { folderOf } from "./engine.js";
import { freePort } from "./fake_server.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BINARY = process.env["STEPWELL_BIN"] ?? "";

function blocks(language: string): string[] {
  const text = readFileSync(join(ROOT, "README.md"), "utf8");
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].filter((it) => it[1] === language).map((it) => it[2] ?? "");
}

test("the five minutes, and the class", async () => {
  const [handlers = "", tests = "", submit = ""] = blocks("js");
  const [template = ""] = blocks("yaml");
  const [typed = ""] = blocks("ts");
  const [install = "", run = "", serve = ""] = blocks("sh");
  const folder = folderOf({
    "handlers.mjs": handlers, "prices.test.mjs": tests, "submit.mjs": submit, "shop.yaml": template, "typed.ts": typed,
    "package.json": '{ "type": "module" }',
  });
  const port = await freePort();
  const env = {
    ...process.env,
    NODE_TEST_CONTEXT: undefined, // else the tests within do not run
    PATH: `${join(folder.path, "bin")}:${dirname(BINARY)}:${process.env["PATH"]}`,
    STEPWELL_STORE: join(folder.path, "store"),
  };
  const shell = (script: string): string => {
    const done = spawnSync("bash", ["-euo", "pipefail", "-c", script], { cwd: folder.path, env, encoding: "utf8", timeout: 60_000 });
    assert.equal(done.status, 0, `${script}\n${done.stdout}${done.stderr}`);
    return done.stdout + done.stderr;
  };
  try {
    // What `npm install` and `npx` do, without npm.
    assert.equal(install, "npm install ./Sources/Workers/typescript\n");
    mkdirSync(join(folder.path, "node_modules", ".bin"), { recursive: true });
    mkdirSync(join(folder.path, "bin"));
    shell(`ln -s '${ROOT}' node_modules/stepwell && ln -s '${BINARY}' bin/stepwell`);
    shell(`printf '#!/bin/sh\\nshift\\nexec node "${ROOT}dist/bin.js" "$@"\\n' > bin/npx && chmod +x bin/npx`);
    shell(`printf '#!/bin/sh\\nexec node "${ROOT}dist/bin.js" "$@"\\n' > node_modules/.bin/stepwell-worker && chmod +x node_modules/.bin/*`);
    assert.match(shell(run), /complete/);
    assert.match(shell("node --test prices.test.mjs"), /pass 2/);
    const served = serve
      .replace("stepwell serve", `stepwell serve --listen 127.0.0.1:${port}`)
      .replace("http://127.0.0.1:7420", `http://127.0.0.1:${port}`)
      .replace("node submit", `until curl -sf $STEPWELL_URL/v1/health/ready; do kill -0 %1 && sleep 0.05; done\nnode submit`);
    assert.match(shell(`export STEPWELL_URL=http://127.0.0.1:${port}\ntrap 'kill %1 %2; wait' EXIT\n${served}`), /complete \{ sum: 7 \}/);
    shell("tsc --strict --module node16 --target es2022 --noEmit typed.ts");
  } finally {
    folder.remove();
  }
});
