/** What all calls of a client share: whom they ask, how, and what they reject with. */
import process from "node:process";
import { encode, NotJSON } from "./payload.js";
import { Address, Connection, DEFAULT_URL, Trouble } from "./transport.js";
const LIMIT = 60; // seconds for an answer
/** What a server that starts or stops says, or the proxy before it. */
const AWAY = new Set([502, 503, 504]);
/** A request that the server refused, or could not be asked. */
export class ClientError extends Error {
    code;
    detail;
    cure;
    status;
    retryAfter;
    mayPass;
    constructor(
    /**
     * For programs, such as `unknown_task`; `unreachable` without an answer, `wait_timeout` when `wait` gave up,
     * `not_json` for what JSON cannot hold, and for an answer that is none.
     */
    code, 
    /** What went wrong. */
    detail, 
    /** What can be done about it. */
    cure = "", 
    /** The status of the answer; 0 without one. */
    status = 0, 
    /** Seconds after which the server asks to be asked again. */
    retryAfter, 
    /** Whether the server is only away: not reached, starting, stopping, or busy. */
    mayPass = AWAY.has(status)) {
        super(cure ? `${detail} (${cure})` : detail);
        this.code = code;
        this.detail = detail;
        this.cure = cure;
        this.status = status;
        this.retryAfter = retryAfter;
        this.mayPass = mayPass;
        this.name = "ClientError";
    }
}
/** Asks one server. The calls of `Client` are in classes between the two, by topic. */
export class Asker {
    options;
    address;
    token;
    // One request at a time on each; more are opened when several are on their way.
    idle = [];
    /** Throws `BadAddress` for an address that is none. Nothing is sent yet. */
    constructor(options = {}) {
        this.options = options;
        // A variable that is empty counts as none.
        this.address = Address.parse(options.url ?? (process.env["STEPWELL_URL"] || DEFAULT_URL));
        this.token = options.token ?? process.env["STEPWELL_TOKEN"];
    }
    /** Close the connections. */
    close() {
        for (const connection of this.idle.splice(0)) {
            connection.close();
        }
    }
    /** What the server answers, which is JSON. */
    async ask(method, path, body, isRepeatable = method === "GET") {
        return this.json(await this.send(method, path, body === undefined ? undefined : asText(body), isRepeatable));
    }
    /** The same for a body that is YAML, which may be sent again. */
    async askWithYAML(method, path, yaml) {
        return this.json(await this.send(method, path, yaml, true, "application/yaml"));
    }
    /** An answer that is text, such as a drawing. */
    async askForText(path) {
        return (await this.send("GET", path, undefined, true)).content;
    }
    /** Something to do that has no answer but that it is done. */
    async tell(method, path) {
        await this.send(method, path, undefined, false);
    }
    json(reply) {
        try {
            return JSON.parse(reply.content);
        }
        catch {
            throw new ClientError("not_json", `${this.address.url} answered with what is not JSON`, "is this a Stepwell server?");
        }
    }
    async send(method, path, text, isRepeatable, contentType) {
        const connection = this.idle.pop() ?? new Connection(this.address, this.token);
        try {
            const reply = await connection.request(method, path, text, LIMIT, isRepeatable, contentType);
            if (reply.status < 300) {
                return reply;
            }
            const { code, detail, cure, status } = reply.problem;
            throw new ClientError(code || `http_${status}`, detail, cure, status, reply.retryAfter);
        }
        catch (error) {
            if (error instanceof Trouble) {
                const cure = isRepeatable ? "is the server there? stepwell serve" : "it may have been taken; an idempotency key makes it safe to ask again";
                throw new ClientError("unreachable", `${this.address.url}: ${error.message}`, cure, 0, undefined, !error.isUntrusted);
            }
            throw error;
        }
        finally {
            this.idle.push(connection);
        }
    }
}
function asText(body) {
    try {
        return encode(body, "request");
    }
    catch (error) {
        throw error instanceof NotJSON ? new ClientError("not_json", error.message) : error;
    }
}
/** A name as a part of an address. */
export function segment(name) {
    return encodeURIComponent(name);
}
/** What follows an address: the parameters that are there. */
export function query(parameters) {
    const present = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) {
        if (value !== undefined && value !== null) {
            present.set(name, String(value));
        }
    }
    const text = String(present);
    return text && `?${text}`;
}
/** The members that are there. */
export function defined(members) {
    return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
