/**
 * The functional form of a handler: a function that is given what it asks for.
 *
 *     export const invoice = defineHandler(
 *       "shop.invoice",
 *       { depends: { cart: "validate_cart" }, inputs: { currency: "currency" } },
 *       async ({ cart, currency }) => ({ due: cart.total, currency }),
 *     );
 */
import { isStepwellError, ValidationError } from "./errors.js";
import { StepHandler } from "./handler.js";
import { isResult, StepHandlerResult } from "./result.js";
/**
 * Make `run` the handler that templates call `name`. What it returns is the step's result, unless it returns a
 * `StepHandlerResult`. A dependency that is absent arrives as null, an input as undefined.
 */
export function defineHandler(name, options, run) {
    const depends = Object.entries(options.depends ?? {});
    const inputs = Object.entries(options.inputs ?? {});
    for (const [parameter] of [...depends, ...inputs]) {
        if (parameter === "context") {
            throw new TypeError(`handler ${name}: \`context\` is the context; give the parameter another name`);
        }
    }
    return class extends StepHandler {
        static handlerName = name;
        static handlerVersion = options.version ?? "1.0.0";
        static fetches = depends.map(([, wanted]) => nameOf(wanted));
        static run = run;
        async call(context) {
            const args = { context };
            for (const [parameter, wanted] of depends) {
                const value = context.getDependencyResult(nameOf(wanted));
                args[parameter] = fitted(value, wanted, `the result of step ${nameOf(wanted)}`);
            }
            for (const [parameter, wanted] of inputs) {
                args[parameter] = fitted(context.getInput(nameOf(wanted)), wanted, `the input ${nameOf(wanted)}`);
            }
            const value = await run(args);
            return isResult(value) ? value : StepHandlerResult.success(value);
        }
    };
}
function nameOf(wanted) {
    return typeof wanted === "string" ? wanted : wanted[0];
}
function fitted(value, wanted, what) {
    if (typeof wanted === "string") {
        return value;
    }
    const model = wanted[1];
    try {
        return typeof model === "function" ? model(value) : model.parse(value);
    }
    catch (error) {
        if (isStepwellError(error)) {
            throw error;
        }
        const words = error instanceof Error ? error.message : String(error);
        throw new ValidationError(`${what} does not fit: ${words}`, { cause: error });
    }
}
