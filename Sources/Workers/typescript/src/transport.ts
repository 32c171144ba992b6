/** HTTP as worker and client need it: one kept connection to one server, over TCP, TLS or a Unix socket. */

import * as http from "node:http";
import * as https from "node:https";

/** Where a server is when nobody says otherwise. */
export const DEFAULT_URL = "http://127.0.0.1:7420";

const RETRY_AFTER_MAX = 300; // seconds

/** An address that is no address of a server; the message says what one looks like. */
export class BadAddress extends Error {}

/** A connection that could not be made, broke, was cut, or took too long. */
export class Trouble extends Error {
  constructor(
    message: string,
    /** The server's certificate is none to trust. */
    readonly isUntrusted = false,
  ) {
    super(message);
  }
}

/** Where the server is: `http://HOST:PORT`, `https://HOST:PORT`, or `unix:PATH`. */
export class Address {
  private constructor(
    readonly url: string,
    readonly isTLS: boolean,
    /** Where to connect to: a host and a port, or a socket's path. */
    readonly target: { host: string; port: string } | { socketPath: string },
    /** What paths begin with. */
    readonly prefix: string,
  ) {}

  /** Read an address. Throws `BadAddress`. */
  static parse(url: string): Address {
    if (url.startsWith("unix:")) {
      const path = url.slice("unix:".length).replace(/^\/\/\//, "/");
      if (!path || path.startsWith("//")) {
        throw new BadAddress(`no path in ${JSON.stringify(url)}; write unix:/run/stepwell.sock`);
      }
      return new Address(url, false, { socketPath: path }, "");
    }
    let parts: URL;
    try {
      parts = new URL(url);
    } catch {
      throw new BadAddress(`${JSON.stringify(url)} is no address; write http://HOST:PORT, https://HOST:PORT or unix:PATH`);
    }
    if (!["http:", "https:"].includes(parts.protocol) || parts.search || parts.hash) {
      throw new BadAddress(`${JSON.stringify(url)} is no address; write http://HOST:PORT, https://HOST:PORT or unix:PATH`);
    }
    if (parts.username || parts.password) {
      throw new BadAddress(`no name or password belongs into the address of ${parts.hostname}; use a token`);
    }
    const isTLS = parts.protocol === "https:";
    const host = parts.hostname.replace(/^\[(.*)\]$/, "$1"); // an IPv6 address
    return new Address(url, isTLS, { host, port: parts.port || (isTLS ? "443" : "80") }, parts.pathname.replace(/\/+$/, ""));
  }
}

/** The problem document of an error. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly cure: string;
}

/** A server's answer. */
export class Reply {
  constructor(
    readonly status: number,
    readonly content: string,
    private readonly retryAfterText: string | undefined,
  ) {}

  /** The seconds of `Retry-After`, if it has some. */
  get retryAfter(): number | undefined {
    const text = this.retryAfterText?.trim() ?? "";
    return /^[0-9]+$/.test(text) ? Math.min(Number(text), RETRY_AFTER_MAX) : undefined;
  }

  /** What went wrong; words made from the status when the server has none. */
  get problem(): Problem {
    try {
      const { code, detail, cure } = JSON.parse(this.content) as Record<string, unknown>;
      if (typeof code === "string") {
        return { status: this.status, code, detail: String(detail ?? code), cure: String(cure ?? "") };
      }
    } catch {
      // An answer of something between us and the server.
    }
    const detail = `the server answered ${this.status} ${this.content.slice(0, 200).trim()}`.trim();
    return { status: this.status, code: "", detail, cure: "" };
  }
}

/** One connection that is kept between requests and made anew when it broke. One request at a time. */
export class Connection {
  private readonly agent: http.Agent;
  private readonly headers: Record<string, string>;
  private pending: http.ClientRequest | undefined;

  constructor(
    private readonly address: Address,
    token?: string,
  ) {
    const options = { keepAlive: true, maxSockets: 1 };
    this.agent = address.isTLS ? new https.Agent(options) : new http.Agent(options);
    this.headers = { Accept: "application/json", "User-Agent": "stepwell-typescript" };
    if (token) {
      this.headers["Authorization"] = `Bearer ${token}`;
    }
  }

  /**
   * Send a request and read its answer within `limit` seconds. Rejects with `Trouble`.
   * A repeatable request is sent again when the server had closed the kept connection meanwhile.
   */
  async request(
    method: string,
    path: string,
    body?: string,
    limit = 60,
    isRepeatable = true,
    contentType = "application/json",
  ): Promise<Reply> {
    try {
      return await this.once(method, path, body, limit, contentType);
    } catch (error) {
      if (error instanceof Stale && isRepeatable) {
        return this.once(method, path, body, limit, contentType);
      }
      throw error;
    }
  }

  /** End the request that waits, with `Trouble`. */
  cut(): void {
    this.pending?.destroy(new Trouble("the request is not wanted any more"));
  }

  /** Close the connection. */
  close(): void {
    this.cut();
    this.agent.destroy();
  }

  private once(
    method: string, path: string, body: string | undefined, limit: number, contentType: string,
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const headers: Record<string, string | number> = { ...this.headers };
      const content = body === undefined ? undefined : new TextEncoder().encode(body);
      if (content) {
        headers["Content-Type"] = contentType;
        headers["Content-Length"] = content.length;
      }
      const { request } = this.address.isTLS ? https : http;
      const pending = request({
        ...this.address.target, method, path: this.address.prefix + path, headers, agent: this.agent,
      });
      this.pending = pending;
      const timer = setTimeout(() => pending.destroy(new Trouble(`no answer within ${limit} s`)), limit * 1000);
      const end = (error: Error | undefined, reply?: Reply): void => {
        clearTimeout(timer);
        if (this.pending === pending) {
          this.pending = undefined;
        }
        return reply ? resolve(reply) : reject(error);
      };
      pending.on("error", (error) => {
        const isStale = pending.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
        end(isStale ? new Stale(words(error)) : troubleOf(error));
      });
      pending.on("response", (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => (text += chunk));
        response.on("error", (error) => end(troubleOf(error)));
        response.on("end", () => {
          const header = response.headers["retry-after"];
          const reply = new Reply(response.statusCode ?? 0, text, typeof header === "string" ? header : undefined);
          return response.complete ? end(undefined, reply) : end(new Trouble("the answer was cut short"));
        });
        response.on("close", () => end(new Trouble("the answer was cut short")));
      });
      pending.end(content);
    });
  }
}

class Stale extends Trouble {}

function troubleOf(error: Error & { code?: string }): Trouble {
  return error instanceof Trouble ? error : new Trouble(words(error), /CERT|UNABLE_TO_VERIFY/.test(error.code ?? ""));
}

/** What Node calls a certificate that nothing known vouches for. */
const UNTRUSTED = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

function words(error: Error & { code?: string }): string {
  // The errors of several addresses come as one without words.
  const text = error.message || error.code || error.name;
  return UNTRUSTED.has(error.code ?? "") ? `${text}; NODE_EXTRA_CA_CERTS names certificates to trust` : text;
}
