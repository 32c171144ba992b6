/** What all calls of a client share: whom they ask, how, and what they reject with. */

import process from "node:process";

import { encode, NotJSON } from "./payload.js";
import { Address, Connection, DEFAULT_URL, type Reply, Trouble } from "./transport.js";

const LIMIT = 60; // seconds for an answer
/** What a server that starts or stops says, or the proxy before it. */
const AWAY = new Set([502, 503, 504]);

/** A request that the server refused, or could not be asked. */
export class ClientError extends Error {
  constructor(
    /**
     * For programs, such as `unknown_task`; `unreachable` without an answer, `wait_timeout` when `wait` gave up,
     * `not_json` for what JSON cannot hold, and for an answer that is none.
     */
    readonly code: string,
    /** What went wrong. */
    readonly detail: string,
    /** What can be done about it. */
    readonly cure = "",
    /** The status of the answer; 0 without one. */
    readonly status = 0,
    /** Seconds after which the server asks to be asked again. */
    readonly retryAfter?: number,
    /** Whether the server is only away: not reached, starting, stopping, or busy. */
    readonly mayPass = AWAY.has(status),
  ) {
    super(cure ? `${detail} (${cure})` : detail);
    this.name = "ClientError";
  }
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
export class Asker {
  private readonly address: Address;
  private readonly token: string | undefined;
  // One request at a time on each; more are opened when several are on their way.
  private readonly idle: Connection[] = [];

  /** Throws `BadAddress` for an address that is none. Nothing is sent yet. */
  constructor(protected readonly options: ClientOptions = {}) {
    // A variable that is empty counts as none.
    this.address = Address.parse(options.url ?? (process.env["STEPWELL_URL"] || DEFAULT_URL));
    this.token = options.token ?? process.env["STEPWELL_TOKEN"];
  }

  /** Close the connections. */
  close(): void {
    for (const connection of this.idle.splice(0)) {
      connection.close();
    }
  }

  /** What the server answers, which is JSON. */
  protected async ask<T>(method: string, path: string, body?: unknown, isRepeatable = method === "GET"): Promise<T> {
    return this.json(await this.send(method, path, body === undefined ? undefined : asText(body), isRepeatable));
  }

  /** The same for a body that is YAML, which may be sent again. */
  protected async askWithYAML<T>(method: string, path: string, yaml: string): Promise<T> {
    return this.json(await this.send(method, path, yaml, true, "application/yaml"));
  }

  /** An answer that is text, such as a drawing. */
  protected async askForText(path: string): Promise<string> {
    return (await this.send("GET", path, undefined, true)).content;
  }

  /** Something to do that has no answer but that it is done. */
  protected async tell(method: string, path: string): Promise<void> {
    await this.send(method, path, undefined, false);
  }

  private json<T>(reply: Reply): T {
    try {
      return JSON.parse(reply.content) as T;
    } catch {
      throw new ClientError("not_json", `${this.address.url} answered with what is not JSON`, "is this a Stepwell server?");
    }
  }

  private async send(
    method: string, path: string, text: string | undefined, isRepeatable: boolean, contentType?: string,
  ): Promise<Reply> {
    const connection = this.idle.pop() ?? new Connection(this.address, this.token);
    try {
      const reply = await connection.request(method, path, text, LIMIT, isRepeatable, contentType);
      if (reply.status < 300) {
        return reply;
      }
      const { code, detail, cure, status } = reply.problem;
      throw new ClientError(code || `http_${status}`, detail, cure, status, reply.retryAfter);
    } catch (error) {
      if (error instanceof Trouble) {
        const cure = isRepeatable ? "is the server there? stepwell serve" : "it may have been taken; an idempotency key makes it safe to ask again";
        throw new ClientError("unreachable", `${this.address.url}: ${error.message}`, cure, 0, undefined, !error.isUntrusted);
      }
      throw error;
    } finally {
      this.idle.push(connection);
    }
  }
}

function asText(body: unknown): string {
  try {
    return encode(body, "request");
  } catch (error) {
    throw error instanceof NotJSON ? new ClientError("not_json", error.message) : error;
  }
}

/** A name as a part of an address. */
export function segment(name: string): string {
  return encodeURIComponent(name);
}

/** What follows an address: the parameters that are there. */
export function query(parameters: Record<string, string | number | null | undefined>): string {
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
export function defined(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
