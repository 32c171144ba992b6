/** A server of a test's making, which answers as the test says. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import type { Json } from "./engine.js";

/** A request that was received, and how to answer it. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Json;
  answer(status: number, document: unknown, headers?: Record<string, string>): void;
  /** Cut the connection off. */
  drop(): void;
}

/** Hands out the requests that come, one after the other. */
export class FakeServer {
  private readonly inbox: Asked[] = [];
  private readonly readers: ((asked: Asked) => void)[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** Listens at a free port, or at the path of a Unix socket. */
  static start(path?: string): Promise<FakeServer> {
    return new Promise((resolve) => {
      const server = createServer((request, response) => void receive(request, response).then((asked) => fake.take(asked)));
      let fake: FakeServer;
      const ready = (): void => {
        fake = new FakeServer(server, path ? `unix:${path}` : `http://127.0.0.1:${server.address().port}`);
        resolve(fake);
      };
      if (path) {
        server.listen(path, ready);
      } else {
        server.listen(0, "127.0.0.1", ready);
      }
    });
  }

  /** The next request. */
  next(): Promise<Asked> {
    const first = this.inbox.shift();
    return first ? Promise.resolve(first) : new Promise((resolve) => this.readers.push(resolve));
  }

  /** The next request whose path ends so. Others stay for later. */
  async nextOf(ending: string): Promise<Asked> {
    const passed: Asked[] = [];
    for (;;) {
      const asked = await this.next();
      if (asked.path.endsWith(ending)) {
        this.inbox.unshift(...passed);
        return asked;
      }
      passed.push(asked);
    }
  }

  /** Answers registrations and polls of one worker: `welcome`, then these messages. Returns at the poll after. */
  async register(id: string, ...messages: Json[]): Promise<{ hello: Asked; poll: Asked }> {
    const hello = await this.nextOf("/v1/workers");
    hello.answer(201, {
      type: "welcome", protocol: 1, worker: "fake#1", worker_id: id, lease_ms: 30000, poll_ms_max: 20000,
      result_bytes_max: 1 << 24, line_bytes_max: 1 << 26,
    });
    let poll = await this.nextOf(`/v1/workers/${id}/poll`);
    if (messages.length > 0) {
      poll.answer(200, { number: 1, messages });
      poll = await this.nextOf(`/v1/workers/${id}/poll`);
    }
    return { hello, poll };
  }

  /** Resolves when the port is free again. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeAllConnections();
    });
  }

  private take(asked: Asked): void {
    const reader = this.readers.shift();
    if (reader) {
      reader(asked);
    } else {
      this.inbox.push(asked);
    }
  }
}

/** A port of this machine that nobody listens at. */
export async function freePort(): Promise<string> {
  const server = await FakeServer.start();
  await server.stop();
  return new URL(server.url).port;
}

function receive(request: IncomingMessage, response: ServerResponse): Promise<Asked> {
  return new Promise((resolve) => {
    let text = "";
    request.setEncoding("utf8").on("data", (chunk) => (text += chunk)).on("end", () => {
      resolve({
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        body: text ? (JSON.parse(text) as Json) : {},
        answer: (status, document, headers = {}) => {
          response.writeHead(status, { "Content-Type": "application/json", ...headers });
          response.end(typeof document === "string" ? document : JSON.stringify(document));
        },
        drop: () => response.destroy(),
      });
    });
  });
}
