/** HTTP as worker and client need it: one kept connection to one server, over TCP, TLS or a Unix socket. */
/** Where a server is when nobody says otherwise. */
export declare const DEFAULT_URL = "http://127.0.0.1:7420";
/** An address that is no address of a server; the message says what one looks like. */
export declare class BadAddress extends Error {
}
/** A connection that could not be made, broke, was cut, or took too long. */
export declare class Trouble extends Error {
    /** The server's certificate is none to trust. */
    readonly isUntrusted: boolean;
    constructor(message: string, 
    /** The server's certificate is none to trust. */
    isUntrusted?: boolean);
}
/** Where the server is: `http://HOST:PORT`, `https://HOST:PORT`, or `unix:PATH`. */
export declare class Address {
    readonly url: string;
    readonly isTLS: boolean;
    /** Where to connect to: a host and a port, or a socket's path. */
    readonly target: {
        host: string;
        port: string;
    } | {
        socketPath: string;
    };
    /** What paths begin with. */
    readonly prefix: string;
    private constructor();
    /** Read an address. Throws `BadAddress`. */
    static parse(url: string): Address;
}
/** The problem document of an error. */
export interface Problem {
    readonly status: number;
    readonly code: string;
    readonly detail: string;
    readonly cure: string;
}
/** A server's answer. */
export declare class Reply {
    readonly status: number;
    readonly content: string;
    private readonly retryAfterText;
    constructor(status: number, content: string, retryAfterText: string | undefined);
    /** The seconds of `Retry-After`, if it has some. */
    get retryAfter(): number | undefined;
    /** What went wrong; words made from the status when the server has none. */
    get problem(): Problem;
}
/** One connection that is kept between requests and made anew when it broke. One request at a time. */
export declare class Connection {
    private readonly address;
    private readonly agent;
    private readonly headers;
    private pending;
    constructor(address: Address, token?: string);
    /**
     * Send a request and read its answer within `limit` seconds. Rejects with `Trouble`.
     * A repeatable request is sent again when the server had closed the kept connection meanwhile.
     */
    request(method: string, path: string, body?: string, limit?: number, isRepeatable?: boolean, contentType?: string): Promise<Reply>;
    /** End the request that waits, with `Trouble`. */
    cut(): void;
    /** Close the connection. */
    close(): void;
    private once;
}
