/** Limits: how many attempts of a namespace or a handler run at once, and how fast they start. */

import { Asker, defined, query, segment } from "./asking.js";

/** What a limit is for. */
export type LimitScope = "namespace" | "handler";

/** A limit, and how far it is used. Times are RFC 3339. */
export interface Limit {
  scope: LimitScope;
  /** Of the namespace or the handler. */
  name: string;
  concurrency_max: number | null;
  rate: string | null;
  burst: number | null;
  running: number | null;
  waiting: number | null;
  /** When the rate lets the next attempt start, if one waits for that. */
  due_at: string | null;
  set_at: string;
  set_by: string;
  reason: string | null;
}

/** A limit as a whole: what is left out has no bound. */
export interface NewLimit {
  /** How many attempts run at once; 0 lets nothing start. */
  concurrencyMax?: number;
  /** How many attempts start in a time: `10/s`, `100/min`, `3/h`. */
  rate?: string;
  /** How many start at once after a quiet time; without it as many as the rate says. */
  burst?: number;
  /** Why, for the log. */
  reason?: string;
}

/** What a client says about limits. */
export class LimitCalls extends Asker {
  /** All limits, and how far each is used. */
  async listLimits(): Promise<Limit[]> {
    return (await this.ask<{ limits: Limit[] }>("GET", "/v1/limits")).limits;
  }

  /** The limit of a namespace or a handler. */
  getLimit(scope: LimitScope, name: string): Promise<Limit> {
    return this.ask("GET", place(scope, name));
  }

  /** Set a limit. What runs goes on, and counts. */
  setLimit(scope: LimitScope, name: string, limit: NewLimit): Promise<Limit> {
    const { concurrencyMax, rate, burst, reason } = limit;
    return this.ask("PUT", place(scope, name), defined({ concurrency_max: concurrencyMax, rate, burst, reason }), true);
  }

  /** Remove a limit: what has waited for it goes on. */
  removeLimit(scope: LimitScope, name: string, reason?: string): Promise<void> {
    return this.tell("DELETE", place(scope, name) + query({ reason }));
  }
}

function place(scope: LimitScope, name: string): string {
  return `/v1/limits/${segment(scope)}/${segment(name)}`;
}
