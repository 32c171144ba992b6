/** What a remote worker knows of its registration, and how it asks the server. */
import { type Address, type Problem } from "./transport.js";
/** One registration; the server forgets it when it is started again. */
export declare class Session {
    readonly path: string;
    readonly waitMs: number;
    /** Seconds after which a request of this session is given up. */
    readonly limit: number;
    /** The number of the last answer that was read. */
    after: number;
    /** The number of the last delivery that was answered. */
    delivered: number;
    isOver: boolean;
    /** Reads `welcome`. Throws `Malformed`. */
    constructor(welcome: Record<string, unknown>);
}
/** The server has said no to a request, and would again. */
export declare class Refused extends Error {
    readonly problem: Problem;
    constructor(problem: Problem);
}
/** A request that was cut off because it is not wanted any more. */
export declare class Woken extends Error {
}
/** Hears of the state of the connection. */
export interface Listener {
    trouble(asker: Asker, text: string): void;
    recovered(asker: Asker): void;
}
/** Asks as often as it takes: every request of a worker may be repeated. */
export declare class Asker {
    private readonly listener;
    private readonly connection;
    private isWoken;
    private endRest;
    constructor(address: Address, token: string | undefined, listener: Listener);
    /** Give up the request that waits: it rejects with `Woken`, if it may. */
    wake(): void;
    /** The JSON text of the answer, however many tries it takes. Rejects with `Refused`, and with `Woken` if it may. */
    ask(path: string, body: string, limit: number, mayWake: boolean): Promise<string>;
    private rest;
}
