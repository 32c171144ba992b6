/**
 * For handlers that were written for Tasker: what they import from `@tasker-systems/tasker`, under the same names.
 *
 * Here a class has all earlier results at hand, near and far, when it begins. Decision points and batches are not here:
 * the engine has no such steps yet.
 */

import { type Fetches, StepHandler as Base } from "./handler.js";

export * from "./index.js";

/** The base of handler classes. */
export abstract class StepHandler extends Base {
  static override fetches: Fetches = "all";
}

/** Tasker's failure types. */
export enum ErrorType {
  PERMANENT_ERROR = "permanent_error",
  RETRYABLE_ERROR = "retryable_error",
  VALIDATION_ERROR = "validation_error",
  TIMEOUT = "timeout",
  HANDLER_ERROR = "handler_error",
  NETWORK_ERROR = "network_error",
  RESOURCE_UNAVAILABLE = "resource_unavailable",
}
