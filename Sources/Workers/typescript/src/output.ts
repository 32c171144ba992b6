/** Where a handler's words go: prints become lines of the step's log. */

import { AsyncLocalStorage } from "node:async_hooks";
import process from "node:process";
import { format } from "node:util";

import type { Attempt } from "./attempt.js";
import type { LogLevel } from "./context.js";
import type { Carrier } from "./message.js";
import { textOf } from "./payload.js";

const LINE_MAX = 1 << 16; // characters; a longer line is cut into several

/** The attempt that runs here, across `await`, timers and callbacks. */
export const current = new AsyncLocalStorage<Attempt>();

/** Sends lines to the log of the step that they belong to, all others to standard error. */
export class StepOutput {
  constructor(private readonly carrier: Carrier) {}

  /** Have `console` and `process.stdout` write to the log of the step that uses them. */
  capture(): void {
    process.stdout.write = (text, encoding, done) => {
      this.print(typeof text === "string" ? text : new TextDecoder().decode(text));
      const callback = typeof encoding === "function" ? encoding : done;
      if (typeof callback === "function") {
        (callback as () => void)();
      }
      return true;
    };
    for (const [method, level] of [["debug", "debug"], ["warn", "warning"], ["error", "error"]] as const) {
      console[method] = (...words: unknown[]) => this.say(current.getStore(), level, words);
    }
  }

  /** One message of `context.log` or `console`; each of its lines becomes one line of the log. */
  readonly say = (attempt: Attempt | undefined, level: LogLevel, words: readonly unknown[]): void => {
    this.write(attempt, level, format(...words));
  };

  /** Send what the attempt has printed without a line end. */
  finishLine(attempt: Attempt): void {
    const rest = attempt.unfinished;
    attempt.unfinished = "";
    if (rest) {
      this.write(attempt, "info", rest);
    }
  }

  private print(text: string): void {
    const attempt = current.getStore();
    if (!attempt || attempt.isClosed) {
      process.stderr.write(text);
      return;
    }
    const whole = attempt.unfinished + text;
    const end = whole.lastIndexOf("\n");
    attempt.unfinished = whole.slice(end + 1);
    if (end >= 0) {
      this.write(attempt, "info", whole.slice(0, end));
    } else if (whole.length > LINE_MAX) {
      this.finishLine(attempt);
    }
  }

  private write(attempt: Attempt | undefined, level: LogLevel, text: string): void {
    if (!attempt || attempt.isClosed) {
      process.stderr.write(`${text}\n`);
      return;
    }
    for (const line of text.split("\n")) {
      for (let start = 0; start === 0 || start < line.length; start += LINE_MAX) {
        const part = textOf(line.slice(start, start + LINE_MAX));
        this.carrier.send(`{"type":"log","lease":${attempt.lease},"level":"${level}","text":${part}}`, attempt.lease);
      }
    }
  }
}
