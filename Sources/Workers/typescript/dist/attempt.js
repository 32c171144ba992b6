/** One running of one attempt: its conversation with the engine, and its end by `cancel`. */
import { Cancelled, PermanentError, RetryableError } from "./errors.js";
import { excess } from "./ending.js";
import { encode, encodeLeniently, textOf } from "./payload.js";
import { valueText } from "./raw.js";
let lastQuestion = 0;
/** The engine's side of a `StepContext`; `lease` names it in every message. */
export class Attempt {
    carrier;
    payloadMax;
    writeLog;
    wholeText;
    lease;
    /** What was printed without a line end so far. */
    unfinished = "";
    /** Whether the attempt has ended; what comes now no longer belongs to it. */
    isClosed = false;
    cancelReason;
    // Only made when somebody asks for it: most attempts do without.
    #controller;
    #questions = new Map();
    #saving = Promise.resolve();
    /** Rejects when something throws that belongs to the attempt and that nobody catches. */
    struck;
    /** Reject `struck`. */
    strike = () => undefined;
    constructor(message, carrier, payloadMax, writeLog, wholeText) {
        this.carrier = carrier;
        this.payloadMax = payloadMax;
        this.writeLog = writeLog;
        this.wholeText = wholeText;
        this.lease = message.lease;
        this.struck = new Promise((_, reject) => (this.strike = reject));
    }
    // The engine's side.
    /** Make the handler stop where it waits. */
    cancel(reason) {
        if (this.cancelReason || this.isClosed) {
            return;
        }
        this.cancelReason = reason;
        this.#controller?.abort(new Cancelled(reason));
        for (const question of this.#questions.values()) {
            question.reject(new Cancelled(reason));
        }
        this.#questions.clear();
    }
    /** Hand over `fetched` or `checkpointed`. */
    answer(message) {
        const key = message.type === "fetched" ? message["id"] : "checkpoint";
        this.#questions.get(key)?.resolve(message);
        this.#questions.delete(key);
    }
    // The handler's side.
    get signal() {
        if (!this.#controller) {
            this.#controller = new AbortController();
            if (this.cancelReason) {
                this.#controller.abort(new Cancelled(this.cancelReason));
            }
        }
        return this.#controller.signal;
    }
    text = (path) => valueText(this.wholeText(), path);
    async fetch(step) {
        lastQuestion += 1;
        const id = lastQuestion;
        const reply = await this.#ask(id, `{"type":"fetch","lease":${this.lease},"id":${id},"step":${textOf(step)}}`);
        if (typeof reply["error"] === "string") {
            throw new RetryableError(`cannot have the result of step ${step}: ${reply["error"]}`);
        }
        return reply["result"];
    }
    /** One checkpoint is on its way at a time, since their answers have no number. */
    saveCheckpoint(data) {
        const body = encode(data, "checkpoint");
        const tooLarge = excess(body, this.payloadMax, "result_bytes_max");
        if (tooLarge) {
            return Promise.reject(new PermanentError(`the checkpoint is ${tooLarge}`));
        }
        const line = `{"type":"checkpoint","lease":${this.lease},"data":${body}}`;
        const saved = this.#saving.then(() => this.#ask("checkpoint", line));
        this.#saving = saved.catch(() => undefined);
        return saved.then((reply) => {
            if (typeof reply["error"] === "string") {
                throw new RetryableError(`checkpoint refused: ${reply["error"]}`);
            }
        });
    }
    heartbeat(progress) {
        if (this.isClosed) {
            return;
        }
        let line = `{"type":"heartbeat","lease":${this.lease}`;
        if (progress !== undefined && progress !== null) {
            const body = encodeLeniently(progress);
            line += excess(body, this.payloadMax, "") ? "" : `,"progress":${body}`;
        }
        this.carrier.send(`${line}}`, this.lease);
    }
    sleep(seconds) {
        return wait(seconds, this.signal);
    }
    log(level, words) {
        this.writeLog(this, level, words);
    }
    #ask(key, line) {
        return new Promise((resolve, reject) => {
            if (this.cancelReason) {
                reject(new Cancelled(this.cancelReason));
            }
            else if (this.isClosed) {
                reject(new PermanentError("the attempt has ended; await what the handler starts"));
            }
            else {
                this.#questions.set(key, { resolve, reject });
                this.carrier.send(line, this.lease);
            }
        });
    }
}
const TIMER_MAX = 2147483647; // milliseconds; JavaScript's timers know no more
/** Resolves after so many seconds, or never; rejects with the signal's reason when it aborts. */
export function wait(seconds, signal) {
    return new Promise((resolve, reject) => {
        const until = seconds === undefined ? Infinity : performance.now() + seconds * 1000;
        let timer;
        const stop = () => {
            clearTimeout(timer);
            reject(signal.reason);
        };
        const rest = () => {
            const left = until - performance.now();
            if (left <= 0) {
                signal.removeEventListener("abort", stop);
                resolve();
            }
            else {
                timer = setTimeout(rest, Math.min(left, TIMER_MAX));
            }
        };
        if (signal.aborted) {
            reject(signal.reason);
            return;
        }
        signal.addEventListener("abort", stop, { once: true });
        rest();
    });
}
