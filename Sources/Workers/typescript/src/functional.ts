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
import { isStepwellError, ValidationError } from "./errors.js";
import { type Fetches, StepHandler, type StepHandlerClass } from "./handler.js";
import { isResult, StepHandlerResult } from "./result.js";

/** Makes a value of a known type of JSON, or throws: a function, or a schema with `parse` such as Zod's. */
export type Model<T> = ((value: unknown) => T) | { parse(value: unknown): T };

/** A name, or a name and the model that its value must fit. */
export type Wanted<T = unknown> = string | readonly [name: string, model: Model<T>];

/** What a function handler asks for: parameters, and where their values come from. */
export interface HandlerOptions<
  D extends Record<string, Wanted> = Record<string, Wanted>,
  I extends Record<string, Wanted> = Record<string, Wanted>,
> {
  /** Results of earlier steps, near or far: `{ parameter: "step" }`. */
  depends?: D;
  /** Members of the task's input: `{ parameter: "key" }`. */
  inputs?: I;
  /** The handler's version; "1.0.0" without it. */
  version?: string;
}

// A value without a model has whatever type its use needs; only a model checks it.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Value<W> = W extends readonly [string, Model<infer T>] ? T : any;

/** The argument of a function handler. */
export type Arguments<D, I> = { [P in keyof D]: Value<D[P]> } & { [P in keyof I]: Value<I[P]> } & {
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
export function defineHandler<
  D extends Record<string, Wanted> = Record<never, Wanted>,
  I extends Record<string, Wanted> = Record<never, Wanted>,
>(
  name: string,
  options: HandlerOptions<D, I>,
  run: (args: Arguments<D, I>) => unknown,
): FunctionHandlerClass<Arguments<D, I>> {
  const depends: [string, Wanted][] = Object.entries(options.depends ?? {});
  const inputs: [string, Wanted][] = Object.entries(options.inputs ?? {});
  for (const [parameter] of [...depends, ...inputs]) {
    if (parameter === "context") {
      throw new TypeError(`handler ${name}: \`context\` is the context; give the parameter another name`);
    }
  }
  return class extends StepHandler {
    static override handlerName = name;
    static override handlerVersion = options.version ?? "1.0.0";
    static override fetches: Fetches = depends.map(([, wanted]) => nameOf(wanted));
    static readonly run = run;

    async call(context: StepContext): Promise<StepHandlerResult> {
      const args: Record<string, unknown> = { context };
      for (const [parameter, wanted] of depends) {
        const value = context.getDependencyResult(nameOf(wanted));
        args[parameter] = fitted(value, wanted, `the result of step ${nameOf(wanted)}`);
      }
      for (const [parameter, wanted] of inputs) {
        args[parameter] = fitted(context.getInput(nameOf(wanted)), wanted, `the input ${nameOf(wanted)}`);
      }
      const value = await run(args as Arguments<D, I>);
      return isResult(value) ? value : StepHandlerResult.success(value);
    }
  };
}

function nameOf(wanted: Wanted): string {
  return typeof wanted === "string" ? wanted : wanted[0];
}

function fitted(value: unknown, wanted: Wanted, what: string): unknown {
  if (typeof wanted === "string") {
    return value;
  }
  const model = wanted[1];
  try {
    return typeof model === "function" ? model(value) : model.parse(value);
  } catch (error) {
    if (isStepwellError(error)) {
      throw error;
    }
    const words = error instanceof Error ? error.message : String(error);
    throw new ValidationError(`${what} does not fit: ${words}`, { cause: error });
  }
}
