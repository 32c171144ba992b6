/** Stepwell's worker and client for TypeScript and JavaScript. */

export * from "./errors.js";
export { StepContext, type Engine, type LogLevel, type StepLog } from "./context.js";
export { StepHandler, type Fetches, type HandlerReturn, type StepHandlerClass } from "./handler.js";
export {
  defineHandler, type Arguments, type FunctionHandlerClass, type HandlerOptions, type Model, type Wanted,
} from "./functional.js";
export { ErrorType, StepHandlerResult } from "./result.js";
export { NotJSON, RawJSON } from "./payload.js";
export { runWorker } from "./command.js";
export { VERSION } from "./version.js";
