/** Where a handler's words go: prints become lines of the step's log. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Attempt } from "./attempt.js";
import type { LogLevel } from "./context.js";
import type { Carrier } from "./message.js";
/** The attempt that runs here, across `await`, timers and callbacks. */
export declare const current: AsyncLocalStorage<Attempt>;
/** Sends lines to the log of the step that they belong to, all others to standard error. */
export declare class StepOutput {
    private readonly carrier;
    constructor(carrier: Carrier);
    /** Have `console` and `process.stdout` write to the log of the step that uses them. */
    capture(): void;
    /** One message of `context.log` or `console`; each of its lines becomes one line of the log. */
    readonly say: (attempt: Attempt | undefined, level: LogLevel, words: readonly unknown[]) => void;
    /** Send what the attempt has printed without a line end. */
    finishLine(attempt: Attempt): void;
    private print;
    private write;
}
