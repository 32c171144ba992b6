/**
 * The functional form of a handler: a function that is given what it asks for.
 *
 *     export const invoice = defineHandler(
 *       "shop.invoice",
 *       { depends: { cart: "validate_cart" }, inputs: { currency: "currency" } },
 *       async ({ cart, currency }) => ({ due: cart.total, currency }),
 *     );
 */
import type { StepContext } from "./context.js";
import { type StepHandlerClass } from "./handler.js";
/** Makes a value of a known type of JSON, or throws: a function, or a schema with `parse` such as Zod's. */
export declare type Model<T> = ((value: unknown) => T) | {
    parse(value: unknown): T;
};
/** A name, or a name and the model that its value must fit. */
export declare type Wanted<T = unknown> = string | readonly [name: string, model: Model<T>];
/** What a function handler asks for: parameters, and where their values come from. */
export interface HandlerOptions<D extends Record<string, Wanted> = Record<string, Wanted>, I extends Record<string, Wanted> = Record<string, Wanted>> {
    /** Results of earlier steps, near or far: `{ parameter: "step" }`. */
    depends?: D;
    /** Members of the task's input: `{ parameter: "key" }`. */
    inputs?: I;
    /** The handler's version; "1.0.0" without it. */
    version?: string;
}
declare type Value<W> = W extends readonly [string, Model<infer T>] ? T : any;
/** The argument of a function handler. */
export declare type Arguments<D, I> = {
    [P in keyof D]: Value<D[P]>;
} & {
    [P in keyof I]: Value<I[P]>;
} & {
    context: StepContext;
};
/** A handler class made by `defineHandler`. */
export interface FunctionHandlerClass<A> extends StepHandlerClass {
    /** The function itself, for your own tests. */
    readonly run: (args: A) => unknown;
}
/**
 * Make `run` the handler that templates call `name`. What it returns is the step's result, unless it returns a
 * `StepHandlerResult`. A dependency that is absent arrives as null, an input as undefined.
 */
export declare function defineHandler<D extends Record<string, Wanted> = Record<never, Wanted>, I extends Record<string, Wanted> = Record<never, Wanted>>(name: string, options: HandlerOptions<D, I>, run: (args: Arguments<D, I>) => unknown): FunctionHandlerClass<Arguments<D, I>>;
export {};
