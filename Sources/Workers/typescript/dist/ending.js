/** The last message of an attempt: its result, or why there is none. */
import { encode, encodeLeniently, NotJSON, textOf } from "./payload.js";
import { isResult, StepHandlerResult } from "./result.js";
const MESSAGE_MAX = 1 << 16; // characters of a failure's message
const BACKTRACE_MAX = 1 << 18;
/** What a handler returned, as a result. */
export function asResult(value) {
    return isResult(value) ? value : StepHandlerResult.success(value);
}
/** The `result` or `failure` that ends an attempt; what does not fit becomes a failure. */
export function ending(lease, result, limits) {
    if (!result.success) {
        return failureLine(lease, result);
    }
    let body;
    let line;
    try {
        body = encode(result.result, "result");
        line = `{"type":"result","lease":${lease},"result":${body}`;
        if (!isEmpty(result.metadata)) {
            line += `,"metadata":${encode(result.metadata, "metadata")}`;
        }
    }
    catch (fault) {
        if (fault instanceof NotJSON) {
            return refusal(lease, "result_not_json", fault.message);
        }
        // A getter or a `toJSON` of the handler's own has thrown.
        return failureLine(lease, StepHandlerResult.fromError(fault));
    }
    const tooLarge = excess(body, limits.resultBytes, "result_bytes_max") ?? excess(line, limits.lineBytes - 2, "line_bytes_max");
    return tooLarge ? refusal(lease, "result_too_large", `the result is ${tooLarge}`) : `${line}}`;
}
/** A `failure` that the worker itself finds; no further attempt can help. */
export function refusal(lease, errorType, text) {
    return failureLine(lease, StepHandlerResult.failure(text, errorType, false));
}
/** How far `text` is over the limit, in words; undefined when it is not. */
export function excess(text, limit, name) {
    // A character has at most three bytes for each unit, so most texts need no count.
    const size = text.length * 3 <= limit ? 0 : new TextEncoder().encode(text).length;
    return size > limit ? `${size} bytes; the limit is ${limit} (${name})` : undefined;
}
function failureLine(lease, result) {
    let line = `{"type":"failure","lease":${lease},"message":${textOf(String(result.errorMessage || "failed").slice(0, MESSAGE_MAX))}` +
        `,"error_type":${textOf(String(result.errorType || "handler_error"))},"retryable":${Boolean(result.retryable)}`;
    if (result.errorCode !== undefined && result.errorCode !== null) {
        line += `,"error_code":${textOf(String(result.errorCode))}`;
    }
    const wait = Math.ceil(Number(result.retryAfter ?? NaN) * 1000);
    if (!Number.isNaN(wait)) {
        line += `,"retry_after_ms":${Math.min(Math.max(0, wait), Number.MAX_SAFE_INTEGER)}`;
    }
    if (result.backtrace) {
        line += `,"backtrace":${textOf(result.backtrace.slice(-BACKTRACE_MAX))}`;
    }
    if (!isEmpty(result.metadata)) {
        const members = Object.entries(result.metadata).map(([key, value]) => `${textOf(key)}:${shown(value)}`);
        line += `,"metadata":{${members.join(",")}}`;
    }
    return `${line}}`;
}
/** `value` if it is short JSON, else words for it: a failure's metadata only informs people. */
function shown(value) {
    const text = encodeLeniently(value);
    return text.length <= MESSAGE_MAX ? text : textOf(`${text.length} characters`);
}
function isEmpty(metadata) {
    return typeof metadata !== "object" || metadata === null || Object.keys(metadata).length === 0;
}
