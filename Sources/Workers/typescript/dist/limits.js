/** Limits: how many attempts of a namespace or a handler run at once, and how fast they start. */
import { Asker, defined, query, segment } from "./asking.js";
/** What a client says about limits. */
export class LimitCalls extends Asker {
    /** All limits, and how far each is used. */
    async listLimits() {
        return (await this.ask("GET", "/v1/limits")).limits;
    }
    /** The limit of a namespace or a handler. */
    getLimit(scope, name) {
        return this.ask("GET", place(scope, name));
    }
    /** Set a limit. What runs goes on, and counts. */
    setLimit(scope, name, limit) {
        const { concurrencyMax, rate, burst, reason } = limit;
        return this.ask("PUT", place(scope, name), defined({ concurrency_max: concurrencyMax, rate, burst, reason }), true);
    }
    /** Remove a limit: what has waited for it goes on. */
    removeLimit(scope, name, reason) {
        return this.tell("DELETE", place(scope, name) + query({ reason }));
    }
}
function place(scope, name) {
    return `/v1/limits/${segment(scope)}/${segment(name)}`;
}
