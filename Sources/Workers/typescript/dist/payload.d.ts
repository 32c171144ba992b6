/** JSON as the protocol wants it: no NaN, no lone surrogates, and an error that names the place of a fault. */
/** A value that JSON cannot express; the message says which and where. */
export declare class NotJSON extends Error {
}
/** JSON text that stands in a result as it is, such as a number with more digits than JavaScript's have. */
export declare class RawJSON {
    /** The JSON text. */
    readonly text: string;
    private constructor();
    /** Wraps `text`. Throws `SyntaxError` if it is not JSON. */
    static of(text: string): RawJSON;
    /** @internal */
    toJSON(): never;
}
/** `value` as JSON text. `place` is what the value is called in an error, such as `result`. Throws `NotJSON`. */
export declare function encode(value: unknown, place: string): string;
/** For what only informs people: whatever JSON cannot express becomes words. */
export declare function encodeLeniently(value: unknown): string;
/** A JSON string of any text, also of text with lone surrogates. */
export declare function textOf(text: string): string;
