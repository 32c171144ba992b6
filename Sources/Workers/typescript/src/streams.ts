/** The engine on standard input and output, which belong to the protocol; everything else is led around them. */

import { closeSync, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import process from "node:process";
import type { Readable } from "node:stream";
import { setImmediate } from "node:timers";

import { asMessage, type Carrier, type Take } from "./message.js";

/** End the process at once, whatever its handlers are doing. */
export function leave(status: number, reason = ""): never {
  if (reason) {
    complain(reason);
  }
  return process.exit(status);
}

/** Words of the worker itself, which belong to no step. */
export function complain(text: string): void {
  try {
    writeSync(2, `stepwell: ${text}\n`);
  } catch {
    // Nobody reads it.
  }
}

interface Ends {
  readonly input: Readable;
  write(text: string, done: () => void): void;
}

/**
 * Take standard input and output for the protocol.
 *
 * Pipes get other descriptors: whatever writes to descriptor 1 from now on, such as a child process, writes to
 * standard error, and there is nothing to read at descriptor 0. What is no pipe stays where it is.
 */
function claimStandardStreams(): Ends {
  return { input: claimInput(), write: claimOutput() };
}

function claimInput(): Readable {
  const own = reopened(0, "r");
  if (own === undefined) {
    return process.stdin;
  }
  closeSync(0);
  openSync("/dev/null", "r"); // takes the lowest free descriptor: the one that was just closed
  return new Socket({ fd: own, readable: true, writable: false });
}

function claimOutput(): Ends["write"] {
  const own = reopened(1, "w");
  if (own === undefined) {
    const write = process.stdout.write.bind(process.stdout);
    return (text, done) => void write(text, done);
  }
  closeSync(1);
  if (reopened(2, "a") === undefined) {
    openSync("/dev/null", "w");
  }
  const sender = new Socket({ fd: own, readable: false, writable: true });
  sender.on("error", () => leave(0)); // the engine is gone; nobody is left to tell
  return (text, done) => void sender.write(text, done);
}

/** Another descriptor of what `descriptor` has open, if it is a pipe or a file and the system has a place for it. */
function reopened(descriptor: number, flags: string): number | undefined {
  try {
    return openSync(`/proc/self/fd/${descriptor}`, flags);
  } catch {
    return undefined;
  }
}

/** Lines on standard input and output. All that is sent in one turn of the loop leaves in one system call. */
export class StandardStreams implements Carrier {
  private ends: Ends | undefined;
  private waiting: string[] = [];

  start(hello: Record<string, unknown>, take: Take): void {
    this.ends = claimStandardStreams();
    this.send(JSON.stringify(hello));
    const lines = new Lines((line) => hear(line, take));
    this.ends.input.on("data", (chunk) => lines.add(chunk));
    for (const event of ["end", "close"] as const) {
      this.ends.input.on(event, () => leave(0));
    }
    this.ends.input.on("error", () => leave(0));
  }

  send(line: string): void {
    if (this.waiting.length === 0) {
      setImmediate(() => this.flush());
    }
    this.waiting.push(line);
  }

  drain(done: () => void): void {
    done(); // what comes now the worker refuses
  }

  finish(): Promise<void> {
    this.send('{"type":"drained"}');
    return new Promise((resolve) => this.flush(resolve));
  }

  private flush(done: () => void = () => undefined): void {
    const lines = this.waiting;
    this.waiting = [];
    if (lines.length > 0) {
      this.ends?.write(`${lines.join("\n")}\n`, done);
    }
  }
}

function hear(line: string, take: Take): void {
  try {
    take(asMessage(JSON.parse(line)), () => line);
  } catch (error) {
    leave(1, `cannot read the engine's message: ${String(error)} in ${line.slice(0, 200)}`);
  }
}

const NEWLINE = 10;

/** Puts chunks of bytes together to lines of text; what has no end yet waits for it. */
export class Lines {
  private parts: Uint8Array[] = [];

  constructor(private readonly take: (line: string) => void) {}

  add(chunk: Uint8Array): void {
    const end = chunk.lastIndexOf(NEWLINE);
    if (end < 0) {
      this.parts.push(chunk);
      return;
    }
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    let text = "";
    for (const part of this.parts) {
      text += decoder.decode(part, { stream: true });
    }
    text += decoder.decode(chunk.subarray(0, end));
    this.parts = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : [];
    for (const line of text.split("\n")) {
      this.take(line);
    }
  }
}
