/** One running of one attempt: its conversation with the engine, and its end by `cancel`. */
import type { Engine, LogLevel } from "./context.js";
import { type CancelReason } from "./errors.js";
import type { AttemptMessage, Carrier, Message } from "./message.js";
/** The engine's side of a `StepContext`; `lease` names it in every message. */
export declare class Attempt implements Engine {
    #private;
    private readonly carrier;
    private readonly payloadMax;
    private readonly writeLog;
    private readonly wholeText;
    readonly lease: number;
    /** What was printed without a line end so far. */
    unfinished: string;
    /** Whether the attempt has ended; what comes now no longer belongs to it. */
    isClosed: boolean;
    cancelReason: CancelReason | undefined;
    /** Rejects when something throws that belongs to the attempt and that nobody catches. */
    readonly struck: Promise<never>;
    /** Reject `struck`. */
    strike: (error: unknown) => void;
    constructor(message: AttemptMessage, carrier: Carrier, payloadMax: number, writeLog: (attempt: Attempt, level: LogLevel, words: readonly unknown[]) => void, wholeText: () => string);
    /** Make the handler stop where it waits. */
    cancel(reason: CancelReason): void;
    /** Hand over `fetched` or `checkpointed`. */
    answer(message: Message): void;
    get signal(): AbortSignal;
    readonly text: (path: readonly string[]) => string | undefined;
    fetch(step: string): Promise<unknown>;
    /** One checkpoint is on its way at a time, since their answers have no number. */
    saveCheckpoint(data: unknown): Promise<void>;
    heartbeat(progress: unknown): void;
    sleep(seconds: number | undefined): Promise<void>;
    log(level: LogLevel, words: readonly unknown[]): void;
}
/** Resolves after so many seconds, or never; rejects with the signal's reason when it aborts. */
export declare function wait(seconds: number | undefined, signal: AbortSignal): Promise<void>;
