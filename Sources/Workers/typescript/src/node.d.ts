/** The parts of Node's modules that the worker uses, so that the type check needs no package. */

declare module "node:async_hooks" {
  export class AsyncLocalStorage<T> {
    run<R>(store: T, callback: () => R): R;
    getStore(): T | undefined;
  }
}

declare module "node:fs" {
  export function openSync(path: string, flags: string): number;
  export function closeSync(descriptor: number): void;
  export function writeSync(descriptor: number, text: string): number;
  export function existsSync(path: string): boolean;
  export function readFileSync(path: string, encoding: "utf8"): string;
  export function writeFileSync(path: string, text: string): void;
  export function appendFileSync(path: string, text: string): void;
  export function mkdtempSync(prefix: string): string;
  export function mkdirSync(path: string, options?: { recursive?: boolean }): void;
  export function rmSync(path: string, options?: { recursive?: boolean; force?: boolean }): void;
  export function readdirSync(path: string): string[];
  export function statSync(path: string): { isDirectory(): boolean; isFile(): boolean };
}

declare module "node:os" {
  export function tmpdir(): string;
}

declare module "node:path" {
  export function join(...parts: string[]): string;
  export function resolve(...parts: string[]): string;
  export function dirname(path: string): string;
  export function basename(path: string): string;
  export function extname(path: string): string;
}

declare module "node:url" {
  export function pathToFileURL(path: string): URL;
  export function fileURLToPath(url: string | URL): string;
}

declare module "node:timers" {
  export function setImmediate(callback: () => void): void;
}

declare module "node:util" {
  export function format(...words: unknown[]): string;
}

declare module "node:module" {
  /** Absent in runtimes other than Node. */
  export const register: ((specifier: string | URL) => void) | undefined;
}

declare module "node:stream" {
  export interface Readable {
    on(event: "data", listener: (chunk: Uint8Array) => void): this;
    on(event: "end" | "close" | "aborted", listener: () => void): this;
    on(event: "error", listener: (error: Error) => void): this;
    setEncoding(encoding: "utf8"): this;
  }
}

declare module "node:net" {
  import type { Readable } from "node:stream";
  export class Socket implements Readable {
    constructor(options: { fd: number; readable?: boolean; writable?: boolean });
    on(event: "data", listener: (chunk: Uint8Array) => void): this;
    on(event: "end" | "close" | "aborted", listener: () => void): this;
    on(event: "error", listener: (error: Error) => void): this;
    setEncoding(encoding: "utf8"): this;
    setNoDelay(): this;
    write(text: string, done?: () => void): boolean;
    destroy(): void;
  }
}

declare module "node:http" {
  import type { Readable } from "node:stream";
  import type { Socket } from "node:net";
  export class Agent {
    constructor(options: { keepAlive: boolean; maxSockets: number });
    destroy(): void;
  }
  export interface IncomingMessage extends Readable {
    readonly statusCode?: number;
    readonly complete: boolean;
    readonly method?: string;
    readonly url?: string;
    readonly headers: Record<string, string | string[] | undefined>;
  }
  export interface RequestOptions {
    method: string;
    path: string;
    host?: string;
    port?: number | string;
    socketPath?: string;
    headers: Record<string, string | number>;
    agent: Agent;
  }
  export interface ClientRequest {
    readonly reusedSocket: boolean;
    on(event: "response", listener: (response: IncomingMessage) => void): this;
    on(event: "error", listener: (error: Error & { code?: string }) => void): this;
    on(event: "socket", listener: (socket: Socket) => void): this;
    end(body?: string | Uint8Array): void;
    destroy(error?: Error): void;
  }
  export function request(options: RequestOptions): ClientRequest;
  export interface ServerResponse {
    writeHead(status: number, headers: Record<string, string | number>): this;
    end(body?: string): void;
    destroy(): void;
  }
  export interface Server {
    listen(port: number | string, host?: string | (() => void), ready?: () => void): this;
    address(): { port: number };
    close(done?: () => void): void;
    closeAllConnections(): void;
  }
  export function createServer(listener: (request: IncomingMessage, response: ServerResponse) => void): Server;
}

declare module "node:https" {
  export { Agent, request } from "node:http";
}

declare module "node:child_process" {
  import type { Readable } from "node:stream";
  export interface ChildProcess {
    readonly stdin: { write(text: string): void; end(): void };
    readonly stdout: Readable;
    readonly stderr: Readable;
    readonly exitCode: number | null;
    on(event: "close", listener: (code: number | null, signal: string | null) => void): this;
    kill(signal?: string): boolean;
  }
  export function spawn(
    program: string,
    args: readonly string[],
    options?: { cwd?: string; env?: Record<string, string | undefined> },
  ): ChildProcess;
  export function spawnSync(
    program: string,
    args: readonly string[],
    options?: { cwd?: string; env?: Record<string, string | undefined>; encoding: "utf8"; timeout?: number },
  ): { status: number | null; stdout: string; stderr: string };
}

declare module "node:process" {
  import type { Readable } from "node:stream";
  type Write = (text: string | Uint8Array, encoding?: unknown, done?: unknown) => boolean;
  const process: {
    readonly argv: string[];
    readonly env: Record<string, string | undefined>;
    readonly execPath: string;
    readonly pid: number;
    readonly features: { readonly typescript?: unknown };
    readonly versions: Record<string, string | undefined>;
    readonly stdin: Readable;
    readonly stdout: { write: Write };
    readonly stderr: { write: Write };
    cwd(): string;
    on(event: "SIGTERM" | "SIGINT", listener: () => void): void;
    on(event: "uncaughtException" | "unhandledRejection", listener: (error: unknown) => void): void;
    exit(status: number): never;
    exitCode: number | undefined;
  };
  export default process;
}

declare module "node:test" {
  export function test(name: string, body: (context: { after(clean: () => void): void }) => unknown): void;
}

declare module "node:assert/strict" {
  const assert: {
    (value: unknown, message?: string): asserts value;
    equal(actual: unknown, expected: unknown, message?: string): void;
    deepEqual(actual: unknown, expected: unknown, message?: string): void;
    match(text: string, pattern: RegExp, message?: string): void;
    throws(body: () => unknown, expected?: RegExp | object, message?: string): void;
    rejects(body: Promise<unknown> | (() => Promise<unknown>), expected?: RegExp | object): Promise<void>;
  };
  export default assert;
}
