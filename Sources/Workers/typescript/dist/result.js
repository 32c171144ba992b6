/** How an attempt ends: `StepHandlerResult` and the kinds of failure. */
import { isStepwellError } from "./errors.js";
/** The failure types that all languages share. A handler may use its own strings as well. */
export var ErrorType;
(function (ErrorType) {
    ErrorType["PERMANENT_ERROR"] = "permanent_error";
    ErrorType["RETRYABLE_ERROR"] = "retryable_error";
    ErrorType["VALIDATION_ERROR"] = "validation_error";
    ErrorType["TIMEOUT"] = "timeout";
    ErrorType["HANDLER_ERROR"] = "handler_error";
})(ErrorType = ErrorType || (ErrorType = {}));
const brand = Symbol.for("stepwell.result");
/** Success with a result, or failure with a message. Make one with `success` or `failure`. */
export class StepHandlerResult {
    success;
    result;
    metadata;
    errorMessage;
    errorType;
    errorCode;
    retryable;
    retryAfter;
    backtrace;
    [brand] = true;
    constructor(success, result, metadata, errorMessage, errorType, errorCode, retryable, 
    /** Seconds to wait before the next attempt. */
    retryAfter, backtrace) {
        this.success = success;
        this.result = result;
        this.metadata = metadata;
        this.errorMessage = errorMessage;
        this.errorType = errorType;
        this.errorCode = errorCode;
        this.retryable = retryable;
        this.retryAfter = retryAfter;
        this.backtrace = backtrace;
    }
    /** The step is done. `result` is any JSON value; later steps get the whole of it. */
    static success(result = null, metadata = {}) {
        return new StepHandlerResult(true, result, metadata, undefined, undefined, undefined, false, undefined, undefined);
    }
    /** The attempt failed. `retryAfter` (seconds) asks for a wait before the next attempt. */
    static failure(message, errorType = ErrorType.HANDLER_ERROR, retryable = true, metadata = {}, errorCode, retryAfter, backtrace) {
        return new StepHandlerResult(false, null, metadata, message, errorType, errorCode, retryable, retryAfter, backtrace);
    }
    /**
     * The failure that a thrown value stands for, with its stack as `backtrace`.
     *
     * Stepwell's own errors say everything themselves. Whatever else is thrown is a retryable
     * `handler_error`, whose message begins with the name of the class.
     */
    static fromError(error) {
        if (isStepwellError(error)) {
            return StepHandlerResult.failure(error.message || error.name, error.errorType, error.retryable, { ...error.metadata, exception_type: error.metadata["exception_type"] ?? error.name }, error.errorCode, error.retryAfter, stackOf(error));
        }
        if (!(error instanceof Error)) {
            const text = `the handler threw ${shown(error)}, which is no Error`;
            return StepHandlerResult.failure(text, ErrorType.HANDLER_ERROR, true, { exception_type: typeof error });
        }
        const message = error.message ? `${error.name}: ${error.message}` : error.name;
        return StepHandlerResult.failure(message, ErrorType.HANDLER_ERROR, true, { exception_type: error.name }, undefined, undefined, stackOf(error));
    }
}
/** Whether `value` is a result, also one of another copy of this package. */
export function isResult(value) {
    return typeof value === "object" && value !== null && brand in value;
}
const HERE = new URL(".", import.meta.url).href;
/** The stack without the worker's own frames at its end, and with the errors that led to this one. */
function stackOf(error) {
    if (!error.stack) {
        return undefined;
    }
    const lines = error.stack.split("\n");
    while (lines.length > 2 && isOurs(lines[lines.length - 1] ?? "")) {
        lines.pop();
    }
    const cause = error.cause instanceof Error ? stackOf(error.cause) : undefined;
    return lines.join("\n") + (cause ? `\ncaused by ${cause}` : "");
}
function isOurs(line) {
    return line.includes(HERE) || line.includes("node:internal/");
}
function shown(value) {
    try {
        return String(value).slice(0, 200);
    }
    catch {
        return `a ${typeof value}`;
    }
}
