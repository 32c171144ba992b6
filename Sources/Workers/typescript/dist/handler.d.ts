/** The class form of a handler, and what the worker needs to know of any handler. */
import type { StepContext } from "./context.js";
import { ErrorType, StepHandlerResult } from "./result.js";
/** What a handler may return. Anything but a `StepHandlerResult` is the step's result itself. */
export declare type HandlerReturn = StepHandlerResult | Promise<StepHandlerResult>;
/** Which far results a handler wants to have before it begins: names of steps, or all of them. */
export declare type Fetches = readonly string[] | "all";
/** Tells handler classes, also those of another copy of this package. */
declare const brand: unique symbol;
/**
 * Subclass it, name it, and write `call`.
 *
 * A new object is made for each attempt, so members of `this` are never shared. Other methods with the same
 * signature can be named by `handler.method` in the template.
 */
export declare abstract class StepHandler {
    /** What templates call the handler: their `handler.callable`. */
    static handlerName: string;
    static handlerVersion: string;
    /** Far results that `getDependencyResult` shall have; direct dependencies are always there. */
    static fetches: Fetches;
    static readonly [brand] = true;
    /** Do the step's work and say how it ended. */
    abstract call(context: StepContext): HandlerReturn;
    /** Short for `StepHandlerResult.success`. */
    protected success(result?: unknown, metadata?: Record<string, unknown>): StepHandlerResult;
    /** Short for `StepHandlerResult.failure`. */
    protected failure(message: string, errorType?: ErrorType | string, retryable?: boolean, metadata?: Record<string, unknown>, errorCode?: string, retryAfter?: number): StepHandlerResult;
}
/** A class that the worker can run. */
export interface StepHandlerClass {
    new (): StepHandler;
    readonly handlerName: string;
    readonly handlerVersion: string;
    readonly fetches: Fetches;
}
/** Whether `thing` is a subclass of `StepHandler`, of this copy of the package or another. */
export declare function isHandlerClass(thing: unknown): thing is StepHandlerClass;
/** Run one attempt: `method` of a new object of the class. Throws `PermanentError` when there is no such method. */
export declare function invoke(handler: StepHandlerClass, context: StepContext, method: string): unknown;
export {};
