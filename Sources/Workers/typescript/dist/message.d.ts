/** The messages of the protocol, as far as the worker looks into them. */
/** A message of the engine. */
export interface Message {
    readonly type: string;
    readonly [member: string]: unknown;
}
/** What the engine says to have a handler run. */
export interface AttemptMessage extends Message {
    readonly lease: number;
    readonly task_id: string;
    readonly step_id: string;
    readonly step: string;
    readonly handler: string;
    readonly method: string;
    readonly namespace: string;
    readonly task_name: string;
    readonly task_version: string;
    readonly correlation_id: string;
    readonly traceparent?: string | null;
    readonly attempt: number;
    readonly max_attempts: number;
    readonly idempotency_key: string;
    readonly deadline?: number | null;
    readonly input: Record<string, unknown>;
    readonly config: Record<string, unknown>;
    readonly dependencies: Record<string, unknown>;
    readonly fetchable: readonly string[];
    readonly dependency_names: readonly string[];
    readonly checkpoint?: unknown;
}
/** What the worker may send of one attempt, and how long its lines may be. */
export interface Limits {
    readonly resultBytes: number;
    readonly lineBytes: number;
}
/** Takes one message; `text` gives its JSON text. */
export declare type Take = (message: Message, text: () => string) => void;
/** The way to the engine: standard input and output, or HTTP. */
export interface Carrier {
    /** Begin: say hello, and hand every message of the engine to `take`. */
    start(hello: Record<string, unknown>, take: Take): void;
    /** Queue one message. `lease` is the attempt that it belongs to, `ends` whether it ends it. */
    send(line: string, lease?: number, ends?: boolean): void;
    /** Take no further attempts; call `done` when certainly none will come. */
    drain(done: () => void): void;
    /** Send `drained` after all that was sent before, and resolve when it has left. */
    finish(): Promise<void>;
}
/** A message that lacks something or has something of the wrong kind. */
export declare class Malformed extends Error {
}
/** The message as an attempt. Throws `Malformed`. */
export declare function asAttempt(message: Message): AttemptMessage;
/** The member as a whole number. Throws `Malformed`. */
export declare function integer(message: Record<string, unknown>, name: string): number;
/** Whether `value` is a JSON object. */
export declare function isObject(value: unknown): value is Record<string, unknown>;
/** `value` as a message. Throws `Malformed`. */
export declare function asMessage(value: unknown): Message;
