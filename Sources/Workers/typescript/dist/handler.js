/** The class form of a handler, and what the worker needs to know of any handler. */
import { PermanentError } from "./errors.js";
import { ErrorType, StepHandlerResult } from "./result.js";
/** Tells handler classes, also those of another copy of this package. */
const brand = Symbol.for("stepwell.handler");
/**
 * Subclass it, name it, and write `call`.
 *
 * A new object is made for each attempt, so members of `this` are never shared. Other methods with the same
 * signature can be named by `handler.method` in the template.
 */
export class StepHandler {
    /** What templates call the handler: their `handler.callable`. */
    static handlerName = "";
    static handlerVersion = "1.0.0";
    /** Far results that `getDependencyResult` shall have; direct dependencies are always there. */
    static fetches = [];
    static [brand] = true;
    /** Short for `StepHandlerResult.success`. */
    success(result, metadata) {
        return StepHandlerResult.success(result, metadata);
    }
    /** Short for `StepHandlerResult.failure`. */
    failure(message, errorType = ErrorType.HANDLER_ERROR, retryable = true, metadata, errorCode, retryAfter) {
        return StepHandlerResult.failure(message, errorType, retryable, metadata, errorCode, retryAfter);
    }
}
/** Whether `thing` is a subclass of `StepHandler`, of this copy of the package or another. */
export function isHandlerClass(thing) {
    return typeof thing === "function" && brand in thing && !Object.hasOwn(thing, brand);
}
/** Run one attempt: `method` of a new object of the class. Throws `PermanentError` when there is no such method. */
export function invoke(handler, context, method) {
    const object = new handler();
    const found = methodOf(object, method);
    if (!found) {
        throw new PermanentError(`handler ${handler.handlerName} has no method ${JSON.stringify(method)}`);
    }
    return found.call(object, context);
}
/** Only what the subclass wrote is a method for templates: not `success`, nor anything that every object has. */
function methodOf(object, method) {
    let place = Object.getPrototypeOf(object);
    while (place && !Object.hasOwn(place.constructor, brand)) {
        if (method !== "constructor" && Object.hasOwn(place, method)) {
            const found = place[method];
            return typeof found === "function" ? found : undefined;
        }
        place = Object.getPrototypeOf(place);
    }
    return undefined;
}
