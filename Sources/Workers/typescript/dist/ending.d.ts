/** The last message of an attempt: its result, or why there is none. */
import type { Limits } from "./message.js";
import { StepHandlerResult } from "./result.js";
/** What a handler returned, as a result. */
export declare function asResult(value: unknown): StepHandlerResult;
/** The `result` or `failure` that ends an attempt; what does not fit becomes a failure. */
export declare function ending(lease: number, result: StepHandlerResult, limits: Limits): string;
/** A `failure` that the worker itself finds; no further attempt can help. */
export declare function refusal(lease: number, errorType: string, text: string): string;
/** How far `text` is over the limit, in words; undefined when it is not. */
export declare function excess(text: string, limit: number, name: string): string | undefined;
