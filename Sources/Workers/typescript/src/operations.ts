/** What whoever runs a server asks and says: many tasks at once, pruning, workers, figures. */

import type { Health, TaskState } from "./answers.js";
import { defined, query, segment } from "./asking.js";
import { HistoryCalls } from "./history.js";

/** What can be done to many tasks. */
export type BulkAction = "cancel" | "retry" | "pause" | "resume";

/** To which tasks, the newest first. */
export interface BulkOptions {
  namespace?: string;
  name?: string;
  /** Only tasks in this state; without it the open ones. */
  status?: TaskState;
  /** Why, for the log. */
  reason?: string;
  /** At most so many, up to 1000. */
  limit?: number;
  /** Change nothing, and say what would be. */
  dryRun?: boolean;
}

/** What was done to each of many tasks. */
export interface BulkOutcome {
  action: BulkAction;
  dry_run: boolean;
  /** One that refuses has a `code`, and does not hold up the others. `state` is that of before. */
  tasks: { task_id: string; state: TaskState; done: boolean; code?: string; detail?: string }[];
}

/** What else `pruneTasks` is told. */
export interface PruneOptions {
  /** Only these, by their ids. */
  tasks?: readonly string[];
  /** Why, for the log. */
  reason?: string;
  /** Change nothing, and say how much would leave. */
  dryRun?: boolean;
}

/** How much has left the store, or would. */
export interface Pruned {
  dry_run: boolean;
  before: string;
  tasks: number;
  events: number;
}

/** How much a store holds, also by state, by day and by table. */
export interface Statistics {
  store_id: string;
  events: number;
  commits: number;
  [member: string]: unknown;
}

/** Who works for the server. */
export interface WorkerInfo {
  name: string;
  kind: string;
  handlers: { name: string; version: string }[];
  concurrency: number;
  running: number;
  namespaces: string[];
  labels: Record<string, string>;
  /** Of a worker that connects from elsewhere. */
  worker_id?: string;
  sdk?: string | null;
  /** Since when it has said nothing. */
  silent_ms?: number;
}

/** What a client says as an operator, and what `HistoryCalls` has. */
export class OperationCalls extends HistoryCalls {
  /** Cancel, retry, pause or resume all tasks that match. */
  actOnTasks(action: BulkAction, options: BulkOptions = {}): Promise<BulkOutcome> {
    const { status, dryRun = false, ...members } = options;
    const body = defined({ action, ...members, state: status, dry_run: dryRun || undefined });
    return this.ask("POST", "/v1/tasks/bulk", body, dryRun);
  }

  /** Let tasks that ended before a time leave the store. */
  pruneTasks(before: Date | string, options: PruneOptions = {}): Promise<Pruned> {
    const { dryRun = false, ...members } = options;
    const time = typeof before === "string" ? before : before.toISOString();
    return this.ask("POST", `/v1/prune${dryRun ? "?dry_run=true" : ""}`, defined({ before: time, ...members }), dryRun);
  }

  /** All workers, and what they hold. */
  async listWorkers(): Promise<WorkerInfo[]> {
    return (await this.ask<{ workers: WorkerInfo[] }>("GET", "/v1/workers")).workers;
  }

  /** Tell a worker, by its `worker_id`, to finish what it has and to end. */
  drainWorker(workerId: string): Promise<void> {
    return this.tell("POST", `/v1/workers/${segment(workerId)}/drain`);
  }

  /** End the hold that the server was started with, `stepwell serve --hold`. Resolves to whether there was one. */
  async release(reason?: string): Promise<boolean> {
    return (await this.ask<{ released: boolean }>("POST", "/v1/release", defined({ reason }))).released;
  }

  /** How the server and its store are. */
  healthCheck(): Promise<Health> {
    return this.ask("GET", "/v1/health");
  }

  /** How much the store holds. The server goes through all events for it. */
  statistics(): Promise<Statistics> {
    return this.ask("GET", "/v1/stats");
  }

  /** The server's figures, in the text format of Prometheus. */
  metrics(): Promise<string> {
    return this.askForText("/v1/metrics");
  }

  /** The whole engine as it is, or was: at the number of an event, a time, or `-10m`. */
  getState(at?: string): Promise<Record<string, unknown>> {
    return this.ask("GET", `/v1/state${query({ at })}`);
  }
}
