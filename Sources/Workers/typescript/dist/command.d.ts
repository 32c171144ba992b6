/** The command `stepwell-worker`, and how a program of your own becomes a worker. */
import { type StepHandlerClass } from "./handler.js";
/** Do what the words of the command line say. Ends the process. */
export declare function main(words: readonly string[]): Promise<void>;
/**
 * Make this program the worker of `handlers`; for programs that are not started through `stepwell-worker`.
 * The options are those of the command line. Resolves never: the process ends with the worker.
 */
export declare function runWorker(handlers: readonly StepHandlerClass[], words?: readonly string[], concurrency?: number): Promise<void>;
