/**
 * For handlers that were written for Tasker: what they import from `@tasker-systems/tasker`, under the same names.
 *
 * Here a class has all earlier results at hand, near and far, when it begins. Decision points and batches are not here:
 * the engine has no such steps yet.
 */
import { StepHandler as Base } from "./handler.js";
export * from "./index.js";
/** The base of handler classes. */
export class StepHandler extends Base {
    static fetches = "all";
}
/** Tasker's failure types. */
export var ErrorType;
(function (ErrorType) {
    ErrorType["PERMANENT_ERROR"] = "permanent_error";
    ErrorType["RETRYABLE_ERROR"] = "retryable_error";
    ErrorType["VALIDATION_ERROR"] = "validation_error";
    ErrorType["TIMEOUT"] = "timeout";
    ErrorType["HANDLER_ERROR"] = "handler_error";
    ErrorType["NETWORK_ERROR"] = "network_error";
    ErrorType["RESOURCE_UNAVAILABLE"] = "resource_unavailable";
})(ErrorType = ErrorType || (ErrorType = {}));
