/** How an attempt ends: `StepHandlerResult` and the kinds of failure. */

import { isStepwellError } from "./errors.js";

/** The failure types that all languages share. A handler may use its own strings as well. */
export enum ErrorType {
  PERMANENT_ERROR = "permanent_error",
  RETRYABLE_ERROR = "retryable_error",
  VALIDATION_ERROR = "validation_error",
  TIMEOUT = "timeout",
  HANDLER_ERROR = "handler_error",
}

const brand = Symbol.for("stepwell.result");

/** Success with a result, or failure with a message. Make one with `success` or `failure`. */
export class StepHandlerResult {
  readonly [brand] = true;

  private constructor(
    readonly success: boolean,
    readonly result: unknown,
    readonly metadata: Record<string, unknown>,
    readonly errorMessage: string | undefined,
    readonly errorType: string | undefined,
    readonly errorCode: string | undefined,
    readonly retryable: boolean,
    /** Seconds to wait before the next attempt. */
    readonly retryAfter: number | undefined,
    readonly backtrace: string | undefined,
  ) {}

  /** The step is done. `result` is any JSON value; later steps get the whole of it. */
  static success(result: unknown = null, metadata: Record<string, unknown> = {}): StepHandlerResult {
    return new StepHandlerResult(true, result, metadata, undefined, undefined, undefined, false, undefined, undefined);
  }

  /** The attempt failed. `retryAfter` (seconds) asks for a wait before the next attempt. */
  static failure(
    message: string,
    errorType: ErrorType | string = ErrorType.HANDLER_ERROR,
    retryable = true,
    metadata: Record<string, unknown> = {},
    errorCode?: string,
    retryAfter?: number,
    backtrace?: string,
  ): StepHandlerResult {
    return new StepHandlerResult(
      false, null, metadata, message, errorType, errorCode, retryable, retryAfter, backtrace,
    );
  }

  /**
   * The failure that a thrown value stands for, with its stack as `backtrace`.
   *
   * Stepwell's own errors say everything themselves. Whatever else is thrown is a retryable
   * `handler_error`, whose message begins with the name of the class.
   */
  static fromError(error: unknown): StepHandlerResult {
    if (isStepwellError(error)) {
      return StepHandlerResult.failure(
        error.message || error.name, error.errorType, error.retryable,
        { ...error.metadata, exception_type: error.metadata["exception_type"] ?? error.name },
        error.errorCode, error.retryAfter, stackOf(error),
      );
    }
    if (!(error instanceof Error)) {
      const text = `the handler threw ${shown(error)}, which is no Error`;
      return StepHandlerResult.failure(text, ErrorType.HANDLER_ERROR, true, { exception_type: typeof error });
    }
    const message = error.message ? `${error.name}: ${error.message}` : error.name;
    return StepHandlerResult.failure(
      message, ErrorType.HANDLER_ERROR, true, { exception_type: error.name }, undefined, undefined, stackOf(error),
    );
  }
}

/** Whether `value` is a result, also one of another copy of this package. */
export function isResult(value: unknown): value is StepHandlerResult {
  return typeof value === "object" && value !== null && brand in value;
}

const HERE = new URL(".", import.meta.url).href;

/** The stack without the worker's own frames at its end, and with the errors that led to this one. */
function stackOf(error: Error): string | undefined {
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

function isOurs(line: string): boolean {
  return line.includes(HERE) || line.includes("node:internal/");
}

function shown(value: unknown): string {
  try {
    return String(value).slice(0, 200);
  } catch {
    return `a ${typeof value}`;
  }
}
