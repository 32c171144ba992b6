/** JSON as the protocol wants it: no NaN, no lone surrogates, and an error that names the place of a fault. */
/** A value that JSON cannot express; the message says which and where. */
export class NotJSON extends Error {
}
/** JSON text that stands in a result as it is, such as a number with more digits than JavaScript's have. */
export class RawJSON {
    text;
    constructor(
    /** The JSON text. */
    text) {
        this.text = text;
    }
    /** Wraps `text`. Throws `SyntaxError` if it is not JSON. */
    static of(text) {
        JSON.parse(text);
        return new RawJSON(text.replace(/[\n\r]/g, " "));
    }
    /** @internal */
    toJSON() {
        throw new NotJSON("a RawJSON is written by the worker only");
    }
}
// Text that may hide what JSON.stringify has lost: NaN as null, a Map as {}, a lone surrogate as an escape.
const SUSPECT = /null|\{\}|\\u[dD]/;
/** `value` as JSON text. `place` is what the value is called in an error, such as `result`. Throws `NotJSON`. */
export function encode(value, place) {
    let text;
    try {
        text = JSON.stringify(value);
    }
    catch {
        return encodeSlowly(value, place); // a BigInt or a RawJSON, which can be written, or a circle
    }
    return text === undefined || SUSPECT.test(text) ? encodeSlowly(value, place) : checked(text, place);
}
/** How deep a value of a handler may be nested; what is deeper the engine could not read in a message. */
const LEVELS_MAX = 500;
/** `text` as it is. Throws `NotJSON` when it is nested too deeply. */
function checked(text, place) {
    if (text.length > 2 * LEVELS_MAX && isTooDeep(text)) {
        throw new NotJSON(`${place} is nested deeper than ${LEVELS_MAX} levels`);
    }
    return text;
}
function isTooDeep(text) {
    let level = 0;
    let isText = false;
    for (let at = 0; at < text.length && level <= LEVELS_MAX; at += 1) {
        const character = text[at];
        if (character === '"') {
            isText = !isText;
        }
        else if (isText) {
            at += character === "\\" ? 1 : 0;
        }
        else if (character === "[" || character === "{") {
            level += 1;
        }
        else if (character === "]" || character === "}") {
            level -= 1;
        }
    }
    return level > LEVELS_MAX;
}
/** For what only informs people: whatever JSON cannot express becomes words. */
export function encodeLeniently(value) {
    try {
        return encode(value, "value");
    }
    catch (error) {
        return textOf(error instanceof Error ? error.message : "a value that is not JSON");
    }
}
/** A JSON string of any text, also of text with lone surrogates. */
export function textOf(text) {
    return JSON.stringify(text.replace(/\p{Surrogate}/gu, "\ufffd"));
}
function encodeSlowly(value, place) {
    const raw = [];
    const plain = prepared(value === undefined ? null : value, place, [], raw);
    const text = JSON.stringify(plain);
    const whole = raw.length === 0 ? text : text.replace(/"\ue000(\d+)\ue001"(?!:)/g, (_, index) => raw[Number(index)] ?? "null");
    return checked(whole, place);
}
/** A copy of `value` of plain objects alone, in which what JSON.stringify cannot write is marked. */
function prepared(given, place, above, raw) {
    let value = given;
    if (typeof value === "bigint" || value instanceof RawJSON) {
        raw.push(typeof value === "bigint" ? value.toString() : value.text);
        return `\ue000${raw.length - 1}\ue001`;
    }
    if (typeof value === "object" && value !== null && hasOwnForm(value)) {
        value = value.toJSON("");
    }
    if (typeof value === "string") {
        if (/\p{Surrogate}/u.test(value)) {
            throw new NotJSON(`${place} is not valid Unicode text`);
        }
        if (!value.includes("\ue000")) {
            return value;
        }
        raw.push(JSON.stringify(value)); // else it could be taken for one of the marks
        return `\ue000${raw.length - 1}\ue001`;
    }
    if (typeof value === "number" && !Number.isFinite(value)) {
        throw new NotJSON(`${place} is ${value}, which JSON does not have`);
    }
    if (typeof value === "function" || typeof value === "symbol") {
        throw new NotJSON(`${place} is a ${typeof value}, which is not a JSON value`);
    }
    if (typeof value !== "object" || value === null) {
        return value === undefined ? null : value;
    }
    if (above.includes(value)) {
        throw new NotJSON(`${place} contains itself`);
    }
    if (above.length > 2000) {
        throw new NotJSON(`${place.slice(0, 80)}… is nested too deeply`);
    }
    const path = [...above, value];
    if (Array.isArray(value)) {
        return value.map((item, index) => prepared(item, `${place}[${index}]`, path, raw));
    }
    return preparedObject(value, place, path, raw);
}
/** Whether the object says itself what stands for it in JSON, as a `Date` does. */
function hasOwnForm(value) {
    return typeof value.toJSON === "function";
}
function preparedObject(value, place, path, raw) {
    const entries = Object.entries(value);
    const prototype = Object.getPrototypeOf(value);
    if (entries.length === 0 && prototype !== null && prototype !== Object.prototype) {
        const name = value.constructor?.name ?? "strange object";
        const hint = name === "Promise" ? "; await it" : "";
        throw new NotJSON(`${place} is a ${name}, which is not a JSON value${hint}`);
    }
    const copy = Object.create(null);
    for (const [key, item] of entries) {
        if (item !== undefined && typeof item !== "function" && typeof item !== "symbol") {
            prepared(key, `a key of ${place}`, [], []);
            copy[key] = prepared(item, place + member(key), path, raw);
        }
    }
    return copy;
}
function member(key) {
    return /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
