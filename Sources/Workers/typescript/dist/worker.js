/** The worker: says hello, takes attempts, runs them side by side, and reports how they ended. */
import { Attempt } from "./attempt.js";
import { StepContext } from "./context.js";
import { asResult, ending, refusal } from "./ending.js";
import { PermanentError } from "./errors.js";
import { invoke } from "./handler.js";
import { asAttempt, integer } from "./message.js";
import { current, StepOutput } from "./output.js";
import { StepHandlerResult } from "./result.js";
import { VERSION } from "./version.js";
const PROTOCOL = 1;
/** Runs `handlers`, up to `concurrency` attempts at a time, until the engine has had enough. */
export class Worker {
    handlers;
    concurrency;
    carrier;
    registration;
    output;
    running = new Map();
    limits = { resultBytes: 16 << 20, lineBytes: 64 << 20 };
    isRefusing = false;
    isDraining = false;
    finished = () => undefined;
    constructor(handlers, concurrency, carrier, registration = {}) {
        this.handlers = handlers;
        this.concurrency = concurrency;
        this.carrier = carrier;
        this.registration = registration;
        this.output = new StepOutput(carrier);
    }
    /** Work until the engine drains the worker. */
    async serve() {
        const done = new Promise((resolve) => (this.finished = resolve));
        this.carrier.start(this.hello(), (message, text) => this.take(message, text));
        this.output.capture();
        await done;
        await this.carrier.finish();
    }
    /** Finish the attempts at hand and take no others. */
    terminate(refusing) {
        this.isRefusing = refusing; // what comes now is lost with this process and runs elsewhere
        this.drain();
    }
    /** What nobody has caught. It fails the attempt that it comes from, as far as that can be told. */
    strike(error) {
        const attempt = current.getStore();
        if (attempt && !attempt.isClosed) {
            attempt.strike(error);
        }
        else {
            this.output.say(undefined, "error", ["stepwell: nobody has caught", error]);
        }
    }
    hello() {
        return {
            type: "hello",
            protocol: PROTOCOL,
            handlers: [...this.handlers.values()].map((it) => ({ name: it.handlerName, version: it.handlerVersion })),
            concurrency: this.concurrency,
            sdk: `stepwell-typescript ${VERSION}`,
            ...this.registration,
        };
    }
    take(message, text) {
        switch (message.type) {
            case "attempt":
                if (!this.isRefusing) {
                    this.begin(asAttempt(message), text);
                }
                break;
            case "fetched":
            case "checkpointed":
                this.running.get(integer(message, "lease"))?.answer(message);
                break;
            case "cancel": {
                const reason = message["reason"];
                const isKnown = reason === "timeout" || reason === "shutdown";
                this.running.get(integer(message, "lease"))?.cancel(isKnown ? reason : "cancelled");
                break;
            }
            case "lost":
                for (const attempt of this.running.values()) {
                    attempt.cancel("lost");
                }
                break;
            case "drain":
                this.drain();
                break;
            case "welcome":
                this.limits = {
                    resultBytes: integer(message, "result_bytes_max"),
                    lineBytes: integer(message, "line_bytes_max"),
                };
                break;
            default: // `rejected`, and what later versions may say
        }
    }
    drain() {
        this.carrier.drain(() => {
            this.isDraining = true;
            this.leaveIfDone();
        });
    }
    leaveIfDone() {
        if (this.isDraining && this.running.size === 0) {
            this.finished();
        }
    }
    begin(message, text) {
        const attempt = new Attempt(message, this.carrier, this.limits.resultBytes, this.output.say, text);
        this.running.set(attempt.lease, attempt);
        void current.run(attempt, () => this.run(message, attempt));
    }
    async run(message, attempt) {
        let last;
        try {
            const result = asResult(await Promise.race([attempt.struck, this.handle(message, attempt)]));
            last = ending(attempt.lease, result, this.limits);
        }
        catch (error) {
            last = this.fault(attempt, error);
        }
        this.output.finishLine(attempt);
        attempt.isClosed = true;
        this.running.delete(attempt.lease);
        this.carrier.send(last, attempt.lease, true);
        this.leaveIfDone();
    }
    async handle(message, attempt) {
        const handler = this.handlers.get(message.handler);
        if (!handler) {
            throw new PermanentError(`this worker has no handler ${message.handler}`);
        }
        const context = new StepContext(message, attempt);
        if (message.fetchable.length > 0) {
            await prefetch(message, handler, context);
        }
        return invoke(handler, context, message.method);
    }
    fault(attempt, error) {
        if (attempt.cancelReason) {
            return `{"type":"stopped","lease":${attempt.lease}}`;
        }
        try {
            return ending(attempt.lease, StepHandlerResult.fromError(error), this.limits);
        }
        catch (other) {
            const text = `cannot report how the attempt ended: ${other instanceof Error ? other.name : typeof other}`;
            return refusal(attempt.lease, "handler_error", text);
        }
    }
}
/** Far results that the handler has named, and those of direct dependencies that were too large to come along. */
async function prefetch(message, handler, context) {
    const { fetches } = handler;
    const wanted = message.fetchable.filter((step) => fetches === "all" || fetches.includes(step) || message.dependency_names.includes(step));
    await Promise.all(wanted.map((step) => context.fetchDependencyResult(step)));
}
