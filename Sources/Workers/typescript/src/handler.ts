/** The class form of a handler, and what the worker needs to know of any handler. */

import type { StepContext } from "./context.js";
import { PermanentError } from "./errors.js";
import { ErrorType, StepHandlerResult } from "./result.js";

/** What a handler may return. Anything but a `StepHandlerResult` is the step's result itself. */
export type HandlerReturn = StepHandlerResult | Promise<StepHandlerResult>;

/** Which far results a handler wants to have before it begins: names of steps, or all of them. */
export type Fetches = readonly string[] | "all";

/** Tells handler classes, also those of another copy of this package. */
const brand = Symbol.for("stepwell.handler");

/**
 * Subclass it, name it, and write `call`.
 *
 * A new object is made for each attempt, so members of `this` are never shared. Other methods with the same
 * signature can be named by `handler.method` in the template.
 */
export abstract class StepHandler {
  /** What templates call the handler: their `handler.callable`. */
  static handlerName = "";
  static handlerVersion = "1.0.0";
  /** Far results that `getDependencyResult` shall have; direct dependencies are always there. */
  static fetches: Fetches = [];
  static readonly [brand] = true;

  /** Do the step's work and say how it ended. */
  abstract call(context: StepContext): HandlerReturn;

  /** Short for `StepHandlerResult.success`. */
  protected success(result?: unknown, metadata?: Record<string, unknown>): StepHandlerResult {
    return StepHandlerResult.success(result, metadata);
  }

  /** Short for `StepHandlerResult.failure`. */
  protected failure(
    message: string,
    errorType: ErrorType | string = ErrorType.HANDLER_ERROR,
    retryable = true,
    metadata?: Record<string, unknown>,
    errorCode?: string,
    retryAfter?: number,
  ): StepHandlerResult {
    return StepHandlerResult.failure(message, errorType, retryable, metadata, errorCode, retryAfter);
  }
}

/** A class that the worker can run. */
export interface StepHandlerClass {
  new (): StepHandler;
  readonly handlerName: string;
  readonly handlerVersion: string;
  readonly fetches: Fetches;
}

/** Whether `thing` is a subclass of `StepHandler`, of this copy of the package or another. */
export function isHandlerClass(thing: unknown): thing is StepHandlerClass {
  return typeof thing === "function" && brand in thing && !Object.hasOwn(thing, brand);
}

/** Run one attempt: `method` of a new object of the class. Throws `PermanentError` when there is no such method. */
export function invoke(handler: StepHandlerClass, context: StepContext, method: string): unknown {
  const object = new handler();
  const found = methodOf(object, method);
  if (!found) {
    throw new PermanentError(`handler ${handler.handlerName} has no method ${JSON.stringify(method)}`);
  }
  return found.call(object, context);
}

type Method = (this: StepHandler, context: StepContext) => unknown;

/** Only what the subclass wrote is a method for templates: not `success`, nor anything that every object has. */
function methodOf(object: StepHandler, method: string): Method | undefined {
  let place: object | null = Object.getPrototypeOf(object) as object | null;
  while (place && !Object.hasOwn((place as { constructor: object }).constructor, brand)) {
    if (method !== "constructor" && Object.hasOwn(place, method)) {
      const found = (place as Record<string, unknown>)[method];
      return typeof found === "function" ? (found as Method) : undefined;
    }
    place = Object.getPrototypeOf(place) as object | null;
  }
  return undefined;
}
