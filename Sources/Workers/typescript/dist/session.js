/** What a remote worker knows of its registration, and how it asks the server. */
import { integer, Malformed } from "./message.js";
import { Connection, Trouble } from "./transport.js";
const DELAY_MAX = 5; // seconds between two tries
const GRACE = 10; // seconds that an answer may take beyond the wait that was asked for
/** One registration; the server forgets it when it is started again. */
export class Session {
    path;
    waitMs;
    /** Seconds after which a request of this session is given up. */
    limit;
    /** The number of the last answer that was read. */
    after = 0;
    /** The number of the last delivery that was answered. */
    delivered = 0;
    isOver = false;
    /** Reads `welcome`. Throws `Malformed`. */
    constructor(welcome) {
        if (typeof welcome["worker_id"] !== "string") {
            throw new Malformed("welcome has no worker_id");
        }
        this.path = `/v1/workers/${welcome["worker_id"]}`;
        this.waitMs = integer(welcome, "poll_ms_max");
        this.limit = this.waitMs / 1000 + GRACE;
    }
}
/** The server has said no to a request, and would again. */
export class Refused extends Error {
    problem;
    constructor(problem) {
        super([problem.detail, problem.cure].filter(Boolean).join("; "));
        this.problem = problem;
    }
}
/** A request that was cut off because it is not wanted any more. */
export class Woken extends Error {
}
/** Asks as often as it takes: every request of a worker may be repeated. */
export class Asker {
    listener;
    connection;
    isWoken = false;
    endRest = () => undefined;
    constructor(address, token, listener) {
        this.listener = listener;
        this.connection = new Connection(address, token);
    }
    /** Give up the request that waits: it rejects with `Woken`, if it may. */
    wake() {
        this.isWoken = true;
        this.connection.cut();
        this.endRest();
    }
    /** The JSON text of the answer, however many tries it takes. Rejects with `Refused`, and with `Woken` if it may. */
    async ask(path, body, limit, mayWake) {
        this.isWoken = false;
        for (let delay = 0.1;; delay = Math.min(2 * delay, DELAY_MAX)) {
            let seconds = delay * (0.5 + Math.random() / 2);
            try {
                const reply = await this.connection.request("POST", path, body, limit);
                if (reply.status < 300) {
                    this.listener.recovered(this);
                    return reply.content;
                }
                judge(reply);
                seconds = reply.retryAfter ?? seconds;
                this.listener.trouble(this, reply.problem.detail);
            }
            catch (error) {
                if (!(error instanceof Trouble)) {
                    throw error;
                }
                if (!(mayWake && this.isWoken)) {
                    this.listener.trouble(this, error.message);
                }
            }
            if (!(mayWake && this.isWoken)) {
                await this.rest(seconds);
            }
            if (mayWake && this.isWoken) {
                throw new Woken();
            }
        }
    }
    rest(seconds) {
        return new Promise((resolve) => {
            const timer = setTimeout(resolve, seconds * 1000);
            this.endRest = () => {
                clearTimeout(timer);
                resolve();
            };
        });
    }
}
/** Return when another try makes sense. */
function judge(reply) {
    const isPassing = [408, 425, 429].includes(reply.status) || reply.status >= 500;
    if (!isPassing) {
        throw new Refused(reply.problem);
    }
}
