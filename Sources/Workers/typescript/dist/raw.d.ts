/** The text of one value inside a JSON text, for what `JSON.parse` does not keep: `1.0`, and many digits. */
/**
 * The text of the value at `path` (member names and array indices). Undefined when it is not there.
 * `text` must be valid JSON.
 */
export declare function valueText(text: string, path: readonly (string | number)[]): string | undefined;
