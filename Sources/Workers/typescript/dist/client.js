/** A client of a server's API: submit tasks, look at them, wait for them. */
import process from "node:process";
import { Address, Connection, DEFAULT_URL, Trouble } from "./transport.js";
const LIMIT = 60; // seconds for an answer
const WAIT_MAX = 30; // seconds that one request waits for the end of a task
const SETTLED = new Set(["complete", "cancelled", "blocked_by_failures", "error", "resolved_manually", "paused"]);
/** A request that the server refused, or could not be asked. */
export class ClientError extends Error {
    code;
    detail;
    cure;
    status;
    retryAfter;
    constructor(
    /** For programs, such as `unknown_task`; `unreachable` without an answer, `wait_timeout` when `wait` gave up. */
    code, 
    /** What went wrong. */
    detail, 
    /** What can be done about it. */
    cure = "", 
    /** The status of the answer; 0 without one. */
    status = 0, 
    /** Seconds after which the server asks to be asked again. */
    retryAfter) {
        super(cure ? `${detail} (${cure})` : detail);
        this.code = code;
        this.detail = detail;
        this.cure = cure;
        this.status = status;
        this.retryAfter = retryAfter;
        this.name = "ClientError";
    }
}
/** Asks one server. Every method rejects with `ClientError`. */
export class Client {
    options;
    address;
    token;
    // One request at a time on each; more are opened when several are on their way.
    idle = [];
    /** Throws `BadAddress` for an address that is none. Nothing is sent yet. */
    constructor(options = {}) {
        this.options = options;
        this.address = Address.parse(options.url ?? process.env["STEPWELL_URL"] ?? DEFAULT_URL);
        this.token = options.token ?? process.env["STEPWELL_TOKEN"];
    }
    /** Submit a task. With an `idempotencyKey` that has a task already, that task is the answer. */
    createTask(task) {
        return this.ask("POST", "/v1/tasks", this.submission(task), isRepeatable(task));
    }
    /** Submit many tasks, all or none. */
    async createTasks(tasks) {
        const body = { tasks: tasks.map((task) => this.submission(task)) };
        const answer = await this.ask("POST", "/v1/tasks/batch", body, tasks.every(isRepeatable));
        return answer.tasks;
    }
    /** A task by its id, by a beginning of it that no other shares, by its key, or `last`. */
    getTask(task) {
        return this.ask("GET", `/v1/tasks/${segment(task)}`);
    }
    /** A page of tasks, newest first. */
    listTasks(filter = {}) {
        const query = new URLSearchParams();
        const names = { limit: "limit", cursor: "cursor", namespace: "namespace", name: "name", status: "state", idempotencyKey: "key" };
        for (const [option, parameter] of Object.entries(names)) {
            const value = filter[option];
            if (value !== undefined && value !== null) {
                query.set(parameter, String(value));
            }
        }
        return this.ask("GET", `/v1/tasks?${query}`);
    }
    /** All tasks that match, newest first, page after page. */
    async *allTasks(filter = {}) {
        let cursor = null;
        do {
            const page = await this.listTasks({ ...filter, cursor });
            yield* page.tasks;
            cursor = page.next;
        } while (cursor !== null);
    }
    /** Stop a task: steps that run are stopped, others do not begin. */
    cancelTask(task, reason) {
        return this.ask("POST", `/v1/tasks/${segment(task)}/cancel`, defined({ reason }));
    }
    /** Let nothing further of a task begin; what runs goes on to its end. */
    pauseTask(task, reason) {
        return this.ask("POST", `/v1/tasks/${segment(task)}/pause`, defined({ reason }));
    }
    /** End the pause of a task. */
    resumeTask(task, reason) {
        return this.ask("POST", `/v1/tasks/${segment(task)}/resume`, defined({ reason }));
    }
    /** Let failed steps begin again with fresh attempts: all, or those named. */
    retryTask(task, options = {}) {
        return this.ask("POST", `/v1/tasks/${segment(task)}/retry`, defined({ ...options }));
    }
    /** The steps of a task. */
    async listTaskSteps(task) {
        return (await this.ask("GET", `/v1/tasks/${segment(task)}/steps`)).steps;
    }
    /** One step of a task. */
    getStep(task, step) {
        return this.ask("GET", `/v1/tasks/${segment(task)}/steps/${segment(step)}`);
    }
    /** Everything that has happened to a step, as CloudEvents, oldest first. */
    async getStepAuditHistory(task, step) {
        const path = `/v1/tasks/${segment(task)}/steps/${segment(step)}/audit`;
        return (await this.ask("GET", path)).events;
    }
    /** Settle a step by hand, with or without a result, so that the steps after it can run. */
    resolveStep(task, step, options = {}) {
        return this.ask("POST", `/v1/tasks/${segment(task)}/steps/${segment(step)}/resolve`, defined({ ...options }));
    }
    /** Make a template known, from its YAML. A known version must have the same text. */
    putTemplate(yaml) {
        return this.send("PUT", "/v1/templates", yaml, true, LIMIT, "application/yaml");
    }
    /** All templates that the server knows. */
    async listTemplates() {
        return (await this.ask("GET", "/v1/templates")).templates;
    }
    /** How the server and its store are. */
    healthCheck() {
        return this.ask("GET", "/v1/health");
    }
    /**
     * The task once it is settled: complete, cancelled, blocked by failures, or paused.
     * Rejects with the code `wait_timeout` after `timeout` seconds; without one it waits for ever.
     */
    async wait(task, timeout = Infinity) {
        const end = performance.now() + timeout * 1000;
        for (;;) {
            const left = Math.max(0, end - performance.now());
            const ms = Math.ceil(Math.min(left, WAIT_MAX * 1000));
            const found = await this.ask("GET", `/v1/tasks/${segment(task)}?wait=${ms}ms`);
            if (SETTLED.has(found.state)) {
                return found;
            }
            if (performance.now() >= end) {
                throw new ClientError("wait_timeout", `task ${task} is ${found.state} after ${timeout} s`, "wait longer, or look why: stepwell explain");
            }
        }
    }
    /** Close the connections. */
    close() {
        for (const connection of this.idle.splice(0)) {
            connection.close();
        }
    }
    submission(task) {
        return defined({
            name: task.name,
            namespace: task.namespace ?? "default",
            version: task.version,
            context: task.context ?? {},
            priority: task.priority,
            tags: task.tags,
            correlation_id: task.correlationId,
            parent_correlation_id: task.parentCorrelationId,
            idempotency_key: task.idempotencyKey,
            initiator: task.initiator ?? this.options.initiator,
            source_system: task.sourceSystem ?? this.options.sourceSystem,
            reason: task.reason,
            replace: task.replace,
        });
    }
    ask(method, path, body, isRepeatable = method === "GET", limit = LIMIT) {
        return this.send(method, path, body === undefined ? undefined : JSON.stringify(body), isRepeatable, limit);
    }
    async send(method, path, text, isRepeatable, limit, contentType) {
        const connection = this.idle.pop() ?? new Connection(this.address, this.token);
        try {
            const reply = await connection.request(method, path, text, limit, isRepeatable, contentType);
            if (reply.status < 300) {
                return JSON.parse(reply.content);
            }
            const { code, detail, cure, status } = reply.problem;
            throw new ClientError(code || `http_${status}`, detail, cure, status, reply.retryAfter);
        }
        catch (error) {
            if (error instanceof Trouble) {
                const cure = isRepeatable ? "is the server there? stepwell serve" : "it may have been taken; an idempotency key makes it safe to ask again";
                throw new ClientError("unreachable", `${this.address.url}: ${error.message}`, cure);
            }
            if (error instanceof SyntaxError) {
                throw new ClientError("not_json", `${this.address.url} answered with what is not JSON`, "is this a Stepwell server?");
            }
            throw error;
        }
        finally {
            this.idle.push(connection);
        }
    }
}
/** Whether it is one task also when it is sent twice. */
function isRepeatable(task) {
    return task.idempotencyKey !== undefined && !task.replace;
}
function segment(name) {
    return encodeURIComponent(name);
}
function defined(members) {
    return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
