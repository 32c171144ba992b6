/** Finds handlers in files and folders. */
import { type StepHandlerClass } from "./handler.js";
/** Why the worker cannot start, in words for the person who started it. */
export declare class DiscoveryError extends Error {
}
/**
 * All handlers that the given files and folders export, by handler name.
 *
 * A folder is searched all the way down. Files and folders that only serve tests are left out.
 */
export declare function findHandlers(targets: readonly string[]): Promise<Map<string, StepHandlerClass>>;
