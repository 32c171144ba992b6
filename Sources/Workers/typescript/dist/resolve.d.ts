/**
 * Lets handlers import this package where it is not installed: `stepwell`, and `@tasker-systems/tasker` for handlers
 * that were written for Tasker. What is installed comes first. The worker hands this module to Node's `register`.
 */
declare type Next = (specifier: string, context: unknown) => Promise<unknown>;
/** Node's hook: where a module is. */
export declare function resolve(specifier: string, context: unknown, next: Next): Promise<unknown>;
export {};
