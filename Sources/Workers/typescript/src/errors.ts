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
const brand = Symbol.for("stepwell.error");

/** The base of all errors with which a handler says how it failed. */
export class StepwellError extends Error {
  /** Whether another attempt may follow. */
  readonly retryable: boolean;
  readonly metadata: Record<string, unknown>;
  readonly errorType: string;
  readonly errorCode: string | undefined;
  /** Seconds to wait before the next attempt. */
  readonly retryAfter: number | undefined;
  readonly [brand] = true;

  /** `details` may also be plain metadata, as in Tasker: `new PermanentError("no", { order: 7 })`. */
  constructor(message: string, details: FailureDetails | Record<string, unknown> = {}) {
    const known = isDetails(details) ? details : { metadata: details };
    super(message, known.cause === undefined ? undefined : { cause: known.cause });
    this.name = new.target.name;
    this.retryable = known.retryable ?? new.target.isRetryable;
    this.errorType = known.errorType ?? new.target.defaultType;
    this.metadata = { ...known.metadata };
    this.errorCode = known.errorCode;
    this.retryAfter = known.retryAfter;
  }

  /** Whether errors of this class allow another attempt. */
  static readonly isRetryable: boolean = true;
  /** The `errorType` of errors of this class. */
  static readonly defaultType: string = "handler_error";
}

const DETAILS = new Set(["retryable", "metadata", "errorCode", "retryAfter", "errorType", "cause"]);

function isDetails(value: FailureDetails | Record<string, unknown>): value is FailureDetails {
  return Object.keys(value).every((key) => DETAILS.has(key));
}

/** Another attempt may help. */
export class RetryableError extends StepwellError {
  static override readonly defaultType: string = "retryable_error";
}

/** Something that the handler waited for took too long. */
export class TimeoutError extends RetryableError {
  static override readonly defaultType = "timeout";
}

/** A connection could not be made, or broke. */
export class NetworkError extends RetryableError {}

/** A service asks for fewer requests. */
export class RateLimitError extends RetryableError {}

/** A service is down or overloaded. */
export class ServiceUnavailableError extends RetryableError {}

/** Somebody else holds a lock or a row that the handler needs. */
export class ResourceContentionError extends RetryableError {}

/** No further attempt can help. */
export class PermanentError extends StepwellError {
  static override readonly isRetryable = false;
  static override readonly defaultType: string = "permanent_error";
}

/** Input or an upstream result does not have the expected shape. */
export class ValidationError extends PermanentError {
  static override readonly defaultType = "validation_error";
}

/** Something that must exist does not. */
export class NotFoundError extends PermanentError {}

/** Credentials were refused. */
export class AuthenticationError extends PermanentError {}

/** Credentials are good, but not for this. */
export class AuthorizationError extends PermanentError {}

/** The step or its surroundings are set up wrongly. */
export class ConfigurationError extends PermanentError {}

/** A rule of the business forbids it. */
export class BusinessLogicError extends PermanentError {}

/** Why an attempt was asked to stop; `lost`: the server has forgotten this worker and has given the step to another. */
export type CancelReason = "timeout" | "cancelled" | "shutdown" | "lost";

/**
 * Thrown by what a handler awaits once its attempt was cancelled. Let it pass: use `finally` to clean up.
 * The worker then says that the attempt has stopped.
 */
export class Cancelled extends Error {
  constructor(readonly reason: CancelReason) {
    super(`the attempt was asked to stop: ${reason}`);
    this.name = "Cancelled";
  }
}

/** Whether `error` is one of these errors. */
export function isStepwellError(error: unknown): error is StepwellError {
  return typeof error === "object" && error !== null && brand in error;
}

/** Whether another attempt may follow: errors of this module say so, all others may. */
export function isRetryable(error: unknown): boolean {
  return isStepwellError(error) ? error.retryable : true;
}
