/** The engine's side of the protocol, played by a test against a real worker process. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

import { Lines } from "../src/streams.js";

export const BIN = fileURLToPath(new URL("../src/bin.js", import.meta.url));
const SAFETY_NET = 30_000; // milliseconds; no test waits for it unless something is broken

export type Json = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any

/** A folder with the given files, and what takes it away again. */
export function folderOf(files: Record<string, string>): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "stepwell-"));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(path, name), text);
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A process whose standard error is kept, and which does not outlive its test. */
export class Watched {
  readonly child: ChildProcess;
  readonly ended: Promise<number | string | null>;
  errors = "";
  private readonly watchdog: ReturnType<typeof setTimeout>;

  constructor([program = "", ...args]: readonly string[], env: Record<string, string>, cwd?: string) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("STEPWELL_"));
    const options = { env: { ...Object.fromEntries(inherited), ...env } };
    this.child = spawn(program, args, cwd === undefined ? options : { ...options, cwd });
    this.child.stderr.setEncoding("utf8").on("data", (chunk) => (this.errors += chunk));
    this.watchdog = setTimeout(() => this.child.kill("SIGKILL"), SAFETY_NET);
    this.ended = new Promise((resolve) => {
      this.child.on("close", (code, signal) => {
        clearTimeout(this.watchdog);
        resolve(code ?? signal);
      });
    });
  }
}

export const NAMES = {
  type: "attempt",
  task_id: "01934c1e-7b2a-7000-8000-000000000001",
  step_id: "01934c1e-7b2a-7000-8000-000000000002",
  step: "the_step",
  method: "call",
  namespace: "tests",
  task_name: "conversation",
  task_version: "1.0.0",
  correlation_id: "01934c1e-7b2a-7000-8000-000000000003",
  attempt: 1,
  max_attempts: 3,
  idempotency_key: "01934c1e-7b2a-7000-8000-000000000002",
  deadline: null,
  input: {},
  config: {},
  dependencies: {},
  fetchable: [],
  dependency_names: [],
};

/** Starts a worker on the given source and talks with it line by line. */
export class ScriptedEngine {
  hello: Json = {};
  private lastLease = 0;
  private readonly inbox: string[] = [];
  private hear: () => void = () => undefined;

  private constructor(
    readonly worker: Watched,
    private readonly removeFolder: () => void,
  ) {
    const lines = new Lines((line) => {
      this.inbox.push(line);
      this.hear();
    });
    worker.child.stdout.on("data", (chunk) => lines.add(chunk));
    void worker.ended.then(() => this.hear());
  }

  /** The worker's outputs are pipes, as the engine makes them, or else sockets, as Node does. */
  static async start(source: string, welcome: Json = {}, args: readonly string[] = [], pipe = false): Promise<ScriptedEngine> {
    const folder = folderOf({ "handlers.mjs": source });
    const words = [process.execPath, BIN, join(folder.path, "handlers.mjs"), ...args];
    const command = pipe ? ["sh", "-c", '("$0" "$@" 2>&1 1>&3 | cat >&2) 3>&1 | cat', ...words] : words;
    const engine = new ScriptedEngine(new Watched(command, { STEPWELL_WORKER: "1" }), folder.remove);
    engine.hello = await engine.read();
    engine.send({
      type: "welcome", protocol: 1, worker: "typescript#1", result_bytes_max: 1 << 24, line_bytes_max: 1 << 26, ...welcome,
    });
    return engine;
  }

  async stop(): Promise<void> {
    this.worker.child.kill("SIGKILL");
    await this.worker.ended;
    this.removeFolder();
  }

  send(message: Json): void {
    this.sendText(`${JSON.stringify(message)}\n`);
  }

  sendText(text: string): void {
    this.worker.child.stdin.write(text);
  }

  /** The worker's next line; its end fails the test. */
  async readText(): Promise<string> {
    while (this.inbox.length === 0) {
      if (this.worker.child.exitCode !== null) {
        throw new Error(`the worker has gone: ${this.worker.errors}`);
      }
      await new Promise<void>((resolve) => (this.hear = resolve));
    }
    return this.inbox.shift() ?? "";
  }

  async read(): Promise<Json> {
    return JSON.parse(await this.readText()) as Json;
  }

  /** Send an attempt and return its lease. */
  attempt(handler: string, members: Json = {}): number {
    this.lastLease += 1;
    this.send({ ...NAMES, lease: this.lastLease, handler, ...members });
    return this.lastLease;
  }

  /** Send an attempt and return the message that answers it. */
  async run(handler: string, members: Json = {}): Promise<Json> {
    const lease = this.attempt(handler, members);
    const message = await this.read();
    if (message["lease"] !== lease) {
      throw new Error(`an answer to another attempt: ${JSON.stringify(message)}`);
    }
    return message;
  }
}
