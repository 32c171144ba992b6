/** Stepwell's worker and client for TypeScript and JavaScript. */

export * from "./errors.js";
export { StepwellError as TaskerError } from "./errors.js";
export { Client, Client as TaskerClient, type TaskFilter } from "./client.js";
export { ClientError, type ClientOptions } from "./asking.js";
export type {
  Health, NewTask, Step, StepError, StepEvent, StepState, Task, TaskList, TaskState, TaskSummary, Template,
} from "./answers.js";
export type { Limit, LimitScope, NewLimit } from "./limits.js";
export type { NewWebhook, Webhook } from "./webhooks.js";
export type { DrawingFormat, Finding, TemplateText, Validation } from "./templates.js";
export type {
  Difference, EventPage, Explanation, ForkOptions, LogEvent, LogFilter, LogLine, LogPage, Plan,
} from "./history.js";
export type {
  BulkAction, BulkOptions, BulkOutcome, Pruned, PruneOptions, Statistics, WorkerInfo,
} from "./operations.js";
export { StepContext, type Engine, type LogLevel, type StepLog } from "./context.js";
export { StepHandler, type Fetches, type HandlerReturn, type StepHandlerClass } from "./handler.js";
export {
  defineHandler, type Arguments, type FunctionHandlerClass, type HandlerOptions, type Model, type Wanted,
} from "./functional.js";
export { ErrorType, StepHandlerResult } from "./result.js";
export { NotJSON, RawJSON } from "./payload.js";
export { runWorker } from "./command.js";
export { BadAddress } from "./transport.js";
export { VERSION } from "./version.js";
