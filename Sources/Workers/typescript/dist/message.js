/** The messages of the protocol, as far as the worker looks into them. */
/** A message that lacks something or has something of the wrong kind. */
export class Malformed extends Error {
}
/** The message as an attempt. Throws `Malformed`. */
export function asAttempt(message) {
    const isWell = Number.isSafeInteger(message["lease"]) &&
        typeof message["handler"] === "string" &&
        typeof message["method"] === "string" &&
        isObject(message["input"]) &&
        isObject(message["config"]) &&
        isObject(message["dependencies"]) &&
        Array.isArray(message["fetchable"]) &&
        Array.isArray(message["dependency_names"]);
    if (!isWell) {
        throw new Malformed("an attempt lacks a member, or has one of the wrong type");
    }
    return message;
}
/** The member as a whole number. Throws `Malformed`. */
export function integer(message, name) {
    const value = message[name];
    if (!Number.isSafeInteger(value)) {
        throw new Malformed(`${name} is not a whole number`);
    }
    return value;
}
/** Whether `value` is a JSON object. */
export function isObject(value) {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
/** `value` as a message. Throws `Malformed`. */
export function asMessage(value) {
    if (!isObject(value) || typeof value["type"] !== "string") {
        throw new Malformed("a message is an object with a type");
    }
    return value;
}
