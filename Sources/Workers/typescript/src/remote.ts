/** The engine behind a server (`stepwell serve`): registers, polls for attempts, delivers what they say. */

import { setImmediate } from "node:timers";

import { refusal } from "./ending.js";
import { asMessage, type Carrier, integer, isObject, Malformed, type Message, type Take } from "./message.js";
import { valueText } from "./raw.js";
import { Asker, Refused, Session, Woken } from "./session.js";
import { complain, leave } from "./streams.js";
import type { Address } from "./transport.js";

const MESSAGES_MAX = 1000; // in one delivery
const CHARACTERS_MAX = 8 << 20; // in one delivery of several messages
const FULL_PAUSE = 20; // milliseconds; so long a full worker waits for a place before it polls for news alone
const FIRST_LIMIT = 40; // seconds for the answer to a registration
const FINISH_LIMIT = 5_000; // milliseconds that the last words of a worker that leaves may take

/** Exit status: the token is wrong, expired, or not allowed to (EX_NOPERM). */
export const NOT_ALLOWED = 77;
/** Exit status: the server speaks other versions (EX_PROTOCOL). */
export const OTHER_PROTOCOL = 76;

interface Sent {
  readonly line: string;
  readonly lease: number | undefined;
  readonly ends: boolean;
}

/** Two loops: one polls, one delivers. Neither ever waits for the other. */
export class Remote implements Carrier {
  private readonly polls: Asker;
  private readonly deliveries: Asker;
  private hello = "";
  private take: Take = () => undefined;
  private session: Session | undefined;
  private sent: Sent[] = [];
  private isDelivering = false;
  /** The attempts that the server has given us, and in which session. */
  private readonly held = new Map<number, Session>();
  private isPolling = false;
  private asked = 0; // attempts that the waiting poll may bring
  private isDraining = false;
  private isFinishing = false;
  private hasLeft = false;
  private noMoreAttempts: (() => void) | undefined;
  private news: (() => void)[] = [];
  private readonly troubled = new Set<Asker>();

  constructor(
    private readonly address: Address,
    token: string | undefined,
    private readonly concurrency: number,
  ) {
    this.polls = new Asker(address, token, this);
    this.deliveries = new Asker(address, token, this);
  }

  start(hello: Record<string, unknown>, take: Take): void {
    this.hello = JSON.stringify(hello);
    this.take = take;
    void this.orLeave(this.pollForever());
  }

  send(line: string, lease?: number, ends = false): void {
    this.sent.push({ line, lease, ends });
    if (!this.isDelivering) {
      this.isDelivering = true;
      // What ends in the same turn of the loop leaves together.
      setImmediate(() => void this.orLeave(this.deliverAll()));
    }
  }

  drain(done: () => void): void {
    this.noMoreAttempts ??= done;
    this.isDraining = true;
    this.wake();
  }

  async finish(): Promise<void> {
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

  private async pollForever(): Promise<void> {
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
      } catch (error) {
        if (!(error instanceof Woken)) {
          throw error;
        }
        this.endOfAttempts(); // nobody has answered, and the worker drains
      }
    }
  }

  private async pollAll(session: Session): Promise<void> {
    while (!session.isOver && !this.isFinishing) {
      try {
        await this.poll(session);
      } catch (error) {
        if (error instanceof Refused) {
          this.end(session, error);
        } else if (!(error instanceof Woken)) {
          throw error;
        } else if (this.isDraining && this.troubled.has(this.polls)) {
          this.endOfAttempts();
        }
      }
    }
  }

  private async poll(session: Session): Promise<void> {
    if (this.free === 0 && !this.isDraining) {
      await this.someNews(FULL_PAUSE);
    }
    const isDraining = this.isDraining;
    this.asked = isDraining ? 0 : this.free;
    const waitMs = isDraining && this.noMoreAttempts ? 0 : session.waitMs;
    const body = `{"after":${session.after},"wait_ms":${waitMs},"attempts_max":${this.asked}}`;
    this.isPolling = true;
    let answer: string;
    try {
      answer = await this.polls.ask(`${session.path}/poll`, body, session.limit, true);
    } finally {
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

  private endOfAttempts(): void {
    const done = this.noMoreAttempts;
    this.noMoreAttempts = undefined;
    done?.();
  }

  private get free(): number {
    return Math.max(0, this.concurrency - this.held.size);
  }

  /** Have the poll that waits replaced by another; what its answer may have held comes again with the next. */
  private wake(): void {
    this.tell();
    this.polls.wake();
  }

  // Delivering.

  private async deliverAll(): Promise<void> {
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

  private async deliver(batch: readonly Sent[]): Promise<void> {
    const session = await this.liveSession();
    // A session takes the ends of attempts of an earlier one, and nothing else from them.
    const wanted = batch.filter((it) => it.ends || it.lease === undefined || this.held.get(it.lease) === session);
    if (!session || wanted.length === 0 || this.hasLeft) {
      return;
    }
    const body = `{"number":${session.delivered + 1},"messages":[${wanted.map((it) => it.line).join(",")}]}`;
    let answer: Message[];
    try {
      answer = messages(parsed(await this.deliveries.ask(`${session.path}/messages`, body, session.limit, true)));
    } catch (error) {
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
  private async liveSession(): Promise<Session | undefined> {
    while (!this.session || this.session.isOver) {
      if (this.isFinishing) {
        return undefined;
      }
      await this.someNews();
    }
    return this.session;
  }

  private freePlaces(batch: readonly Sent[]): void {
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
  private async split(batch: readonly Sent[], error: Refused): Promise<void> {
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
    } else {
      complain(`a message is dropped: ${text}`);
      this.freePlaces(batch);
    }
  }

  // Both.

  /** The server does not know the session any more, or cannot read what is said in it. */
  private end(session: Session, error: Refused): void {
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

  private leaveIfForbidden(error: Refused): void {
    const { status, code } = error.problem;
    if (status === 401 || status === 403) {
      leave(NOT_ALLOWED, `${this.address.url} refuses the token (STEPWELL_TOKEN): ${error.message}`);
    }
    if (status === 409 && code === "protocol_version") {
      leave(OTHER_PROTOCOL, `${this.address.url}: ${error.message}`);
    }
  }

  private async orLeave(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (error instanceof Refused) {
        this.leaveIfForbidden(error);
        leave(1, `${this.address.url} does not take this worker: ${error.message}`);
      }
      const words = error instanceof Malformed || error instanceof SyntaxError ? error.message : String((error as Error).stack);
      leave(1, `cannot read the server's answer: ${words}`);
    }
  }

  trouble(asker: Asker, text: string): void {
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

  recovered(asker: Asker): void {
    if (this.troubled.delete(asker) && this.troubled.size === 0) {
      complain(`${this.address.url} answers again`);
    }
  }

  /** Wait until something has changed, or for so many milliseconds. */
  private someNews(limit?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = limit === undefined ? undefined : setTimeout(resolve, limit);
      this.news.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  private tell(): void {
    const { news } = this;
    this.news = [];
    for (const hear of news) {
      hear();
    }
  }
}

function parsed(text: string): Record<string, unknown> {
  const document: unknown = JSON.parse(text);
  if (!isObject(document)) {
    throw new Malformed("the answer is no object");
  }
  return document;
}

function messages(document: Record<string, unknown>): Message[] {
  const list = document["messages"];
  if (!Array.isArray(list)) {
    throw new Malformed("the answer has no messages");
  }
  return list.map(asMessage);
}
