/** What whoever runs a server asks and says: many tasks at once, pruning, workers, figures. */
import { defined, query, segment } from "./asking.js";
import { HistoryCalls } from "./history.js";
/** What a client says as an operator, and what `HistoryCalls` has. */
export class OperationCalls extends HistoryCalls {
    /** Cancel, retry, pause or resume all tasks that match. */
    actOnTasks(action, options = {}) {
        const { status, dryRun = false, ...members } = options;
        const body = defined({ action, ...members, state: status, dry_run: dryRun || undefined });
        return this.ask("POST", "/v1/tasks/bulk", body, dryRun);
    }
    /** Let tasks that ended before a time leave the store. */
    pruneTasks(before, options = {}) {
        const { dryRun = false, ...members } = options;
        const time = typeof before === "string" ? before : before.toISOString();
        return this.ask("POST", `/v1/prune${dryRun ? "?dry_run=true" : ""}`, defined({ before: time, ...members }), dryRun);
    }
    /** All workers, and what they hold. */
    async listWorkers() {
        return (await this.ask("GET", "/v1/workers")).workers;
    }
    /** Tell a worker, by its `worker_id`, to finish what it has and to end. */
    drainWorker(workerId) {
        return this.tell("POST", `/v1/workers/${segment(workerId)}/drain`);
    }
    /** End the hold that the server was started with, `stepwell serve --hold`. Resolves to whether there was one. */
    async release(reason) {
        return (await this.ask("POST", "/v1/release", defined({ reason }))).released;
    }
    /** How the server and its store are. */
    healthCheck() {
        return this.ask("GET", "/v1/health");
    }
    /** How much the store holds. The server goes through all events for it. */
    statistics() {
        return this.ask("GET", "/v1/stats");
    }
    /** The server's figures, in the text format of Prometheus. */
    metrics() {
        return this.askForText("/v1/metrics");
    }
    /** The whole engine as it is, or was: at the number of an event, a time, or `-10m`. */
    getState(at) {
        return this.ask("GET", `/v1/state${query({ at })}`);
    }
}
