/** The text of one value inside a JSON text, for what `JSON.parse` does not keep: `1.0`, and many digits. */
/**
 * The text of the value at `path` (member names and array indices). Undefined when it is not there.
 * `text` must be valid JSON.
 */
export function valueText(text, path) {
    const scanner = new Scanner(text);
    for (const key of path) {
        if (!scanner.enter(key)) {
            return undefined;
        }
    }
    return scanner.valueHere();
}
class Scanner {
    text;
    at = 0;
    constructor(text) {
        this.text = text;
    }
    /** Go to the value of a member or element of the value here. */
    enter(key) {
        this.skipSpace();
        const opening = this.text[this.at];
        if (opening !== (typeof key === "string" ? "{" : "[")) {
            return false;
        }
        this.at += 1;
        let place; // the last of equal names counts, as with JSON.parse
        for (let index = 0;; index += 1) {
            this.skipSpace();
            if (this.text[this.at] === "}" || this.text[this.at] === "]") {
                break;
            }
            const isWanted = typeof key === "number" ? index === key : this.name() === key;
            if (isWanted) {
                place = this.at;
            }
            this.skipValue();
            this.skipSpace();
            if (this.text[this.at] === ",") {
                this.at += 1;
            }
        }
        this.at = place ?? this.at;
        return place !== undefined;
    }
    valueHere() {
        this.skipSpace();
        const start = this.at;
        this.skipValue();
        return this.text.slice(start, this.at);
    }
    name() {
        const start = this.at;
        this.skipString();
        const name = JSON.parse(this.text.slice(start, this.at));
        this.skipSpace();
        this.at += 1; // the colon
        return name;
    }
    skipSpace() {
        while (" \t\n\r".includes(this.text[this.at] ?? "x")) {
            this.at += 1;
        }
    }
    skipString() {
        this.at += 1;
        while (this.text[this.at] !== '"') {
            this.at += this.text[this.at] === "\\" ? 2 : 1;
        }
        this.at += 1;
    }
    skipValue() {
        this.skipSpace();
        let depth = 0;
        do {
            const character = this.text[this.at];
            if (character === '"') {
                this.skipString();
            }
            else if (character === "{" || character === "[") {
                depth += 1;
                this.at += 1;
            }
            else if (character === "}" || character === "]") {
                depth -= 1;
                this.at += 1;
            }
            else if (depth > 0) {
                this.at += 1;
            }
            else {
                while (this.at < this.text.length && !",]} \t\n\r".includes(this.text[this.at] ?? "")) {
                    this.at += 1;
                }
            }
        } while (depth > 0);
    }
}
