/**
 * Lets handlers import this package where it is not installed: `stepwell`, and `@tasker-systems/tasker` for handlers
 * that were written for Tasker. What is installed comes first. The worker hands this module to Node's `register`.
 */
const OURS = {
    stepwell: "./index.js",
    "stepwell/testing": "./testing.js",
    "stepwell/tasker": "./tasker.js",
    "@tasker-systems/tasker": "./tasker.js",
};
/** Node's hook: where a module is. */
export async function resolve(specifier, context, next) {
    try {
        return await next(specifier, context);
    }
    catch (error) {
        const file = Object.hasOwn(OURS, specifier) ? OURS[specifier] : undefined;
        if (!file || error.code !== "ERR_MODULE_NOT_FOUND") {
            throw error;
        }
        return { url: new URL(file, import.meta.url).href, shortCircuit: true };
    }
}
