/** Errors that say how an attempt failed, and whether another one may help. */
/** What a failure knows besides its message. */
export interface FailureDetails {
    /** Whether another attempt may follow; else the class decides. */
    retryable?: boolean | undefined;
    /** Kept beside the failure, for people. */
    metadata?: Record<string, unknown> | undefined;
    /** The handler's own code. */
    errorCode?: string | undefined;
    /** Seconds to wait before the next attempt. */
    retryAfter?: number | undefined;
    /** For programs; else the class decides. */
    errorType?: string | undefined;
    /** The error that led to this one. */
    cause?: unknown;
}
/** Tells our errors, also those of another copy of this package. */
declare const brand: unique symbol;
/** The base of all errors with which a handler says how it failed. */
export declare class StepwellError extends Error {
    /** Whether another attempt may follow. */
    readonly retryable: boolean;
    readonly metadata: Record<string, unknown>;
    readonly errorType: string;
    readonly errorCode: string | undefined;
    /** Seconds to wait before the next attempt. */
    readonly retryAfter: number | undefined;
    readonly [brand] = true;
    /** `details` may also be plain metadata, as in Tasker: `new PermanentError("no", { order: 7 })`. */
    constructor(message: string, details?: FailureDetails | Record<string, unknown>);
    /** Whether errors of this class allow another attempt. */
    static readonly isRetryable: boolean;
    /** The `errorType` of errors of this class. */
    static readonly defaultType: string;
}
/** Another attempt may help. */
export declare class RetryableError extends StepwellError {
    static readonly defaultType: string;
}
/** Something that the handler waited for took too long. */
export declare class TimeoutError extends RetryableError {
    static readonly defaultType = "timeout";
}
/** A connection could not be made, or broke. */
export declare class NetworkError extends RetryableError {
}
/** A service asks for fewer requests. */
export declare class RateLimitError extends RetryableError {
}
/** A service is down or overloaded. */
export declare class ServiceUnavailableError extends RetryableError {
}
/** Somebody else holds a lock or a row that the handler needs. */
export declare class ResourceContentionError extends RetryableError {
}
/** No further attempt can help. */
export declare class PermanentError extends StepwellError {
    static readonly isRetryable = false;
    static readonly defaultType: string;
}
/** Input or an upstream result does not have the expected shape. */
export declare class ValidationError extends PermanentError {
    static readonly defaultType = "validation_error";
}
/** Something that must exist does not. */
export declare class NotFoundError extends PermanentError {
}
/** Credentials were refused. */
export declare class AuthenticationError extends PermanentError {
}
/** Credentials are good, but not for this. */
export declare class AuthorizationError extends PermanentError {
}
/** The step or its surroundings are set up wrongly. */
export declare class ConfigurationError extends PermanentError {
}
/** A rule of the business forbids it. */
export declare class BusinessLogicError extends PermanentError {
}
/** Why an attempt was asked to stop; `lost`: the server has forgotten this worker and has given the step to another. */
export declare type CancelReason = "timeout" | "cancelled" | "shutdown" | "lost";
/**
 * Thrown by what a handler awaits once its attempt was cancelled. Let it pass: use `finally` to clean up.
 * The worker then says that the attempt has stopped.
 */
export declare class Cancelled extends Error {
    readonly reason: CancelReason;
    constructor(reason: CancelReason);
}
/** Whether `error` is one of these errors. */
export declare function isStepwellError(error: unknown): error is StepwellError;
/** Whether another attempt may follow: errors of this module say so, all others may. */
export declare function isRetryable(error: unknown): boolean;
export {};
