/** The engine behind a server (`stepwell serve`): registers, polls for attempts, delivers what they say. */
import { setImmediate } from "node:timers";
import { refusal } from "./ending.js";
import { asMessage, integer, isObject, Malformed } from "./message.js";
import { valueText } from "./raw.js";
import { Asker, Refused, Session, Woken } from "./session.js";
import { complain, leave } from "./streams.js";
const MESSAGES_MAX = 1000; // in one delivery
const CHARACTERS_MAX = 8 << 20; // in one delivery of several messages
const FULL_PAUSE = 20; // milliseconds; so long a full worker waits for a place before it polls for news alone
const FIRST_LIMIT = 40; // seconds for the answer to a registration
const FINISH_LIMIT = 5000; // milliseconds that the last words of a worker that leaves may take
/** Exit status: the token is wrong, expired, or not allowed to (EX_NOPERM). */
export const NOT_ALLOWED = 77;
/** Exit status: the server speaks other versions (EX_PROTOCOL). */
export const OTHER_PROTOCOL = 76;
/** Two loops: one polls, one delivers. Neither ever waits for the other. */
export class Remote {
    address;
    concurrency;
    polls;
    deliveries;
    hello = "";
    take = () => undefined;
    session;
    sent = [];
    isDelivering = false;
    /** The attempts that the server has given us, and in which session. */
    held = new Map();
    isPolling = false;
    asked = 0; // attempts that the waiting poll may bring
    isDraining = false;
    isFinishing = false;
    hasLeft = false;
    noMoreAttempts;
    news = [];
    troubled = new Set();
    constructor(address, token, concurrency) {
        this.address = address;
        this.concurrency = concurrency;
        this.polls = new Asker(address, token, this);
        this.deliveries = new Asker(address, token, this);
    }
    start(hello, take) {
        this.hello = JSON.stringify(hello);
        this.take = take;
        void this.orLeave(this.pollForever());
    }
    send(line, lease, ends = false) {
        this.sent.push({ line, lease, ends });
        if (!this.isDelivering) {
            this.isDelivering = true;
            // What ends in the same turn of the loop leaves together.
            setImmediate(() => void this.orLeave(this.deliverAll()));
        }
    }
    drain(done) {
        this.noMoreAttempts ??= done;
        this.isDraining = true;
        this.wake();
    }
    async finish() {
        this.isFinishing = true;
        this.send('{"type":"drained"}');
        this.wake();
        const end = performance.now() + FINISH_LIMIT;
        while (this.isDelivering && performance.now() < end) {
            await this.someNews(end - performance.now());
        }
        // A server that is gone, or stops at the same time, may not come back: then nobody waits for these words.
        this.hasLeft = true;
        this.deliveries.wake();
    }
    // Polling.
    async pollForever() {
        while (!this.isFinishing) {
            try {
                const answer = await this.polls.ask("/v1/workers", this.hello, FIRST_LIMIT, true);
                const welcome = parsed(answer);
                const session = new Session(welcome);
                this.take(asMessage(welcome), () => answer);
                this.session = session;
                this.tell();
                await this.pollAll(session);
                this.take({ type: "lost" }, () => "");
            }
            catch (error) {
                if (!(error instanceof Woken)) {
                    throw error;
                }
                this.endOfAttempts(); // nobody has answered, and the worker drains
            }
        }
    }
    async pollAll(session) {
        while (!session.isOver && !this.isFinishing) {
            try {
                await this.poll(session);
            }
            catch (error) {
                if (error instanceof Refused) {
                    this.end(session, error);
                }
                else if (!(error instanceof Woken)) {
                    throw error;
                }
                else if (this.isDraining && this.troubled.has(this.polls)) {
                    this.endOfAttempts();
                }
            }
        }
    }
    async poll(session) {
        if (this.free === 0 && !this.isDraining) {
            await this.someNews(FULL_PAUSE);
        }
        const isDraining = this.isDraining;
        this.asked = isDraining ? 0 : this.free;
        const waitMs = isDraining && this.noMoreAttempts ? 0 : session.waitMs;
        const body = `{"after":${session.after},"wait_ms":${waitMs},"attempts_max":${this.asked}}`;
        this.isPolling = true;
        let answer;
        try {
            answer = await this.polls.ask(`${session.path}/poll`, body, session.limit, true);
        }
        finally {
            this.isPolling = false;
        }
        const document = parsed(answer);
        const number = integer(document, "number");
        if (number > session.after) {
            messages(document).forEach((message, index) => {
                if (message.type === "attempt") {
                    this.held.set(integer(message, "lease"), session);
                }
                this.take(message, () => valueText(answer, ["messages", index]) ?? "");
            });
            session.after = number;
        }
        if (isDraining) {
            this.endOfAttempts();
        }
    }
    endOfAttempts() {
        const done = this.noMoreAttempts;
        this.noMoreAttempts = undefined;
        done?.();
    }
    get free() {
        return Math.max(0, this.concurrency - this.held.size);
    }
    /** Have the poll that waits replaced by another; what its answer may have held comes again with the next. */
    wake() {
        this.tell();
        this.polls.wake();
    }
    // Delivering.
    async deliverAll() {
        while (this.sent.length > 0) {
            let size = 0;
            let count = 0;
            while (count < this.sent.length && count < MESSAGES_MAX && size < CHARACTERS_MAX) {
                size += this.sent[count]?.line.length ?? 0;
                count += 1;
            }
            const batch = this.sent.splice(0, count);
            await this.deliver(batch);
        }
        this.isDelivering = false;
        this.tell();
    }
    async deliver(batch) {
        const session = await this.liveSession();
        // A session takes the ends of attempts of an earlier one, and nothing else from them.
        const wanted = batch.filter((it) => it.ends || it.lease === undefined || this.held.get(it.lease) === session);
        if (!session || wanted.length === 0 || this.hasLeft) {
            return;
        }
        const body = `{"number":${session.delivered + 1},"messages":[${wanted.map((it) => it.line).join(",")}]}`;
        let answer;
        try {
            answer = messages(parsed(await this.deliveries.ask(`${session.path}/messages`, body, session.limit, true)));
        }
        catch (error) {
            if (error instanceof Woken) {
                return; // only `drained` was left to say
            }
            if (!(error instanceof Refused)) {
                throw error;
            }
            if (error.problem.status === 413) {
                return this.split(wanted, error);
            }
            this.end(session, error);
            if (error.problem.status === 404) {
                return this.deliver(wanted);
            }
            answer = []; // what no server can read is not sent again
        }
        session.delivered += 1;
        this.freePlaces(wanted);
        for (const message of answer) {
            this.take(message, () => "");
        }
    }
    /** The session to deliver in; undefined when there is no need for one, because the worker leaves. */
    async liveSession() {
        while (!this.session || this.session.isOver) {
            if (this.isFinishing) {
                return undefined;
            }
            await this.someNews();
        }
        return this.session;
    }
    freePlaces(batch) {
        for (const { ends, lease } of batch) {
            if (ends && lease !== undefined) {
                this.held.delete(lease);
            }
        }
        this.tell();
        if (this.isPolling && this.asked === 0 && this.free > 0 && !this.isDraining) {
            this.wake();
        }
    }
    /** Deliver in parts what was too large as a whole. */
    async split(batch, error) {
        const [first] = batch;
        if (batch.length > 1 || !first) {
            const middle = Math.ceil(batch.length / 2);
            await this.deliver(batch.slice(0, middle));
            return this.deliver(batch.slice(middle));
        }
        const text = `${first.line.length} characters are too many for the server: ${error.message}`;
        const line = refusal(first.lease ?? 0, "result_too_large", text);
        if (first.ends && line.length < first.line.length) {
            return this.deliver([{ ...first, line }]);
        }
        if (first.line.startsWith('{"type":"checkpoint"')) {
            this.take({ type: "checkpointed", lease: first.lease, error: text }, () => "");
        }
        else {
            complain(`a message is dropped: ${text}`);
            this.freePlaces(batch);
        }
    }
    // Both.
    /** The server does not know the session any more, or cannot read what is said in it. */
    end(session, error) {
        const { status, code } = error.problem;
        this.leaveIfForbidden(error);
        if (status !== 404) {
            complain(`${this.address.url} ends the session: ${code} ${error.message}`);
        }
        if (!session.isOver) { // else the next registration is on its way, and the server may have taken it
            session.isOver = true;
            this.wake();
        }
    }
    leaveIfForbidden(error) {
        const { status, code } = error.problem;
        if (status === 401 || status === 403) {
            leave(NOT_ALLOWED, `${this.address.url} refuses the token (STEPWELL_TOKEN): ${error.message}`);
        }
        if (status === 409 && code === "protocol_version") {
            leave(OTHER_PROTOCOL, `${this.address.url}: ${error.message}`);
        }
    }
    async orLeave(work) {
        try {
            await work;
        }
        catch (error) {
            if (error instanceof Refused) {
                this.leaveIfForbidden(error);
                leave(1, `${this.address.url} does not take this worker: ${error.message}`);
            }
            const words = error instanceof Malformed || error instanceof SyntaxError ? error.message : String(error.stack);
            leave(1, `cannot read the server's answer: ${words}`);
        }
    }
    trouble(asker, text) {
        if (this.troubled.size === 0) {
            complain(`${this.address.url} does not answer: ${text}; trying again`);
        }
        this.troubled.add(asker);
        if (asker === this.polls && this.isDraining) {
            this.endOfAttempts(); // without an answer no attempts come, and a worker that drains may go
        }
        if (asker === this.deliveries && this.isFinishing && this.held.size === 0) {
            this.deliveries.wake(); // every attempt's end is on disk; a server that is gone need not hear of ours
        }
    }
    recovered(asker) {
        if (this.troubled.delete(asker) && this.troubled.size === 0) {
            complain(`${this.address.url} answers again`);
        }
    }
    /** Wait until something has changed, or for so many milliseconds. */
    someNews(limit) {
        return new Promise((resolve) => {
            const timer = limit === undefined ? undefined : setTimeout(resolve, limit);
            this.news.push(() => {
                clearTimeout(timer);
                resolve();
            });
        });
    }
    tell() {
        const { news } = this;
        this.news = [];
        for (const hear of news) {
            hear();
        }
    }
}
function parsed(text) {
    const document = JSON.parse(text);
    if (!isObject(document)) {
        throw new Malformed("the answer is no object");
    }
    return document;
}
function messages(document) {
    const list = document["messages"];
    if (!Array.isArray(list)) {
        throw new Malformed("the answer has no messages");
    }
    return list.map(asMessage);
}
