/** The engine behind a server (`stepwell serve`): registers, polls for attempts, delivers what they say. */
import { type Carrier, type Take } from "./message.js";
import { Asker } from "./session.js";
import type { Address } from "./transport.js";
/** Exit status: the token is wrong, expired, or not allowed to (EX_NOPERM). */
export declare const NOT_ALLOWED = 77;
/** Exit status: the server speaks other versions (EX_PROTOCOL). */
export declare const OTHER_PROTOCOL = 76;
/** Two loops: one polls, one delivers. Neither ever waits for the other. */
export declare class Remote implements Carrier {
    private readonly address;
    private readonly concurrency;
    private readonly polls;
    private readonly deliveries;
    private hello;
    private take;
    private session;
    private sent;
    private isDelivering;
    /** The attempts that the server has given us, and in which session. */
    private readonly held;
    private isPolling;
    private asked;
    private isDraining;
    private isFinishing;
    private hasLeft;
    private noMoreAttempts;
    private news;
    private readonly troubled;
    constructor(address: Address, token: string | undefined, concurrency: number);
    start(hello: Record<string, unknown>, take: Take): void;
    send(line: string, lease?: number, ends?: boolean): void;
    drain(done: () => void): void;
    finish(): Promise<void>;
    private pollForever;
    private pollAll;
    private poll;
    private endOfAttempts;
    private get free();
    /** Have the poll that waits replaced by another; what its answer may have held comes again with the next. */
    private wake;
    private deliverAll;
    private deliver;
    /** The session to deliver in; undefined when there is no need for one, because the worker leaves. */
    private liveSession;
    private freePlaces;
    /** Deliver in parts what was too large as a whole. */
    private split;
    /** The server does not know the session any more, or cannot read what is said in it. */
    private end;
    private leaveIfForbidden;
    private orLeave;
    trouble(asker: Asker, text: string): void;
    recovered(asker: Asker): void;
    /** Wait until something has changed, or for so many milliseconds. */
    private someNews;
    private tell;
}
