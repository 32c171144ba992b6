/** What all calls of a client share: whom they ask, how, and what they reject with. */
/** A request that the server refused, or could not be asked. */
export declare class ClientError extends Error {
    /**
     * For programs, such as `unknown_task`; `unreachable` without an answer, `wait_timeout` when `wait` gave up,
     * `not_json` for what JSON cannot hold, and for an answer that is none.
     */
    readonly code: string;
    /** What went wrong. */
    readonly detail: string;
    /** What can be done about it. */
    readonly cure: string;
    /** The status of the answer; 0 without one. */
    readonly status: number;
    /** Seconds after which the server asks to be asked again. */
    readonly retryAfter?: number | undefined;
    /** Whether the server is only away: not reached, starting, stopping, or busy. */
    readonly mayPass: boolean;
    constructor(
    /**
     * For programs, such as `unknown_task`; `unreachable` without an answer, `wait_timeout` when `wait` gave up,
     * `not_json` for what JSON cannot hold, and for an answer that is none.
     */
    code: string, 
    /** What went wrong. */
    detail: string, 
    /** What can be done about it. */
    cure?: string, 
    /** The status of the answer; 0 without one. */
    status?: number, 
    /** Seconds after which the server asks to be asked again. */
    retryAfter?: number | undefined, 
    /** Whether the server is only away: not reached, starting, stopping, or busy. */
    mayPass?: boolean);
}
/** Where the server is, and who asks. */
export interface ClientOptions {
    /** `http://HOST:PORT`, `https://HOST:PORT` or `unix:PATH`; else STEPWELL_URL, else http://127.0.0.1:7420. */
    url?: string;
    /** Else STEPWELL_TOKEN. */
    token?: string;
    /** Recorded with each task as who wanted it. */
    initiator?: string;
    /** Recorded with each task as where it came from. */
    sourceSystem?: string;
}
/** Asks one server. The calls of `Client` are in classes between the two, by topic. */
export declare class Asker {
    protected readonly options: ClientOptions;
    private readonly address;
    private readonly token;
    private readonly idle;
    /** Throws `BadAddress` for an address that is none. Nothing is sent yet. */
    constructor(options?: ClientOptions);
    /** Close the connections. */
    close(): void;
    /** What the server answers, which is JSON. */
    protected ask<T>(method: string, path: string, body?: unknown, isRepeatable?: boolean): Promise<T>;
    /** The same for a body that is YAML, which may be sent again. */
    protected askWithYAML<T>(method: string, path: string, yaml: string): Promise<T>;
    /** An answer that is text, such as a drawing. */
    protected askForText(path: string): Promise<string>;
    /** Something to do that has no answer but that it is done. */
    protected tell(method: string, path: string): Promise<void>;
    private json;
    private send;
}
/** A name as a part of an address. */
export declare function segment(name: string): string;
/** What follows an address: the parameters that are there. */
export declare function query(parameters: Record<string, string | number | null | undefined>): string;
/** The members that are there. */
export declare function defined(members: Record<string, unknown>): Record<string, unknown>;
