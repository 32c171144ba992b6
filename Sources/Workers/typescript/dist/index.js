/** Stepwell's worker and client for TypeScript and JavaScript. */
export * from "./errors.js";
export { StepwellError as TaskerError } from "./errors.js";
export { Client, Client as TaskerClient } from "./client.js";
export { ClientError } from "./asking.js";
export { StepContext } from "./context.js";
export { StepHandler } from "./handler.js";
export { defineHandler, } from "./functional.js";
export { ErrorType, StepHandlerResult } from "./result.js";
export { NotJSON, RawJSON } from "./payload.js";
export { runWorker } from "./command.js";
export { BadAddress } from "./transport.js";
export { VERSION } from "./version.js";
