/** How an attempt ends: `StepHandlerResult` and the kinds of failure. */
/** The failure types that all languages share. A handler may use its own strings as well. */
export declare enum ErrorType {
    PERMANENT_ERROR = "permanent_error",
    RETRYABLE_ERROR = "retryable_error",
    VALIDATION_ERROR = "validation_error",
    TIMEOUT = "timeout",
    HANDLER_ERROR = "handler_error"
}
declare const brand: unique symbol;
/** Success with a result, or failure with a message. Make one with `success` or `failure`. */
export declare class StepHandlerResult {
    readonly success: boolean;
    readonly result: unknown;
    readonly metadata: Record<string, unknown>;
    readonly errorMessage: string | undefined;
    readonly errorType: string | undefined;
    readonly errorCode: string | undefined;
    readonly retryable: boolean;
    /** Seconds to wait before the next attempt. */
    readonly retryAfter: number | undefined;
    readonly backtrace: string | undefined;
    readonly [brand] = true;
    private constructor();
    /** The step is done. `result` is any JSON value; later steps get the whole of it. */
    static success(result?: unknown, metadata?: Record<string, unknown>): StepHandlerResult;
    /** The attempt failed. `retryAfter` (seconds) asks for a wait before the next attempt. */
    static failure(message: string, errorType?: ErrorType | string, retryable?: boolean, metadata?: Record<string, unknown>, errorCode?: string, retryAfter?: number, backtrace?: string): StepHandlerResult;
    /**
     * The failure that a thrown value stands for, with its stack as `backtrace`.
     *
     * Stepwell's own errors say everything themselves. Whatever else is thrown is a retryable
     * `handler_error`, whose message begins with the name of the class.
     */
    static fromError(error: unknown): StepHandlerResult;
}
/** Whether `value` is a result, also one of another copy of this package. */
export declare function isResult(value: unknown): value is StepHandlerResult;
export {};
