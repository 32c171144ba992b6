/** What has happened, and what would: events, log lines, explanations, comparisons, forks. */
import { defined, query, segment } from "./asking.js";
import { TemplateCalls } from "./templates.js";
/** What a client asks about the past and about what would be, and what `TemplateCalls` has. */
export class HistoryCalls extends TemplateCalls {
    /** A page of the log, oldest first: of one task, or of all. `after` is the `next_after` of the page before. */
    listEvents(options = {}) {
        const { task, ...range } = options;
        return this.ask("GET", (task === undefined ? "/v1/events" : place(task, "events")) + query(range));
    }
    /** A page of what the handlers of a task have written. */
    listLogLines(task, filter = {}) {
        return this.ask("GET", place(task, "logs") + query({ ...filter }));
    }
    /** All that the handlers of a task have written, page after page. */
    async *allLogLines(task, filter = {}) {
        let cursor = null;
        do {
            const page = await this.listLogLines(task, { ...filter, cursor });
            yield* page.lines;
            cursor = page.next;
        } while (cursor !== null);
    }
    /** Why a task, or one of its steps, waits or has failed, and what can be done. */
    explainTask(task, step) {
        return this.ask("GET", place(task, "explain") + query({ step }));
    }
    /** A drawing of a task's steps with their states, as text unless another format is wanted. */
    drawTask(task, format) {
        return this.askForText(place(task, "graph") + query({ format }));
    }
    /** Compare two tasks. */
    diffTasks(task, other) {
        return this.ask("GET", `${place(task, "diff")}/${segment(other)}`);
    }
    /** The whole of a task as a bundle, without the values at these JSON pointers. */
    exportTask(task, redact = []) {
        const pointers = redact.map((pointer) => `redact=${segment(pointer)}`).join("&");
        return this.askForText(place(task, "export") + (pointers && `?${pointers}`));
    }
    /** Which steps of a task are done, which run next, and which then. */
    planTask(task) {
        return this.ask("GET", place(task, "plan"));
    }
    /** A new task that takes over the results before a step, and runs that step and all behind it. */
    forkTask(task, from, options = {}) {
        return this.ask("POST", place(task, "fork"), defined({ from, ...options }));
    }
    /** What `forkTask` would come to. Nothing is changed. */
    planFork(task, from, options = {}) {
        return this.ask("POST", `${place(task, "fork")}?dry_run=true`, defined({ from, ...options }), true);
    }
}
function place(task, what) {
    return `/v1/tasks/${segment(task)}/${what}`;
}
