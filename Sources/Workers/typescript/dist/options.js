/** The options of a worker's command line. */
/** What makes no sense; the message says what. */
export class UsageError extends Error {
}
const CONCURRENCY_MAX = 1000;
/** Read the words after the program's name. Throws `UsageError`. */
export function parseOptions(words, concurrency) {
    const options = {
        targets: [], concurrency, namespaces: [], labels: {}, wantsHelp: false, wantsVersion: false,
    };
    const rest = words.flatMap((word) => {
        const end = word.startsWith("--") ? word.indexOf("=") : -1;
        return end < 0 ? [word] : [word.slice(0, end), word.slice(end + 1)];
    });
    while (rest.length > 0) {
        const word = rest.shift();
        const value = () => {
            const next = rest.shift();
            if (next === undefined) {
                throw new UsageError(`${word} needs a value`);
            }
            return next;
        };
        switch (word) {
            case "--server":
                options.server = value();
                break;
            case "--name":
                options.name = value();
                break;
            case "--namespace":
                options.namespaces.push(value());
                break;
            case "--label":
                addLabel(options.labels, value());
                break;
            case "--concurrency":
                options.concurrency = number(value());
                break;
            case "--help":
            case "-h":
                options.wantsHelp = true;
                break;
            case "--version":
                options.wantsVersion = true;
                break;
            default:
                if (word.startsWith("-")) {
                    throw new UsageError(`there is no option ${word}`);
                }
                options.targets.push(word);
        }
    }
    return options;
}
function addLabel(labels, text) {
    const end = text.indexOf("=");
    if (end < 1) {
        throw new UsageError(`a label is KEY=VALUE, not ${JSON.stringify(text)}`);
    }
    labels[text.slice(0, end)] = text.slice(end + 1);
}
function number(text) {
    const value = Number(text);
    if (!/^[0-9]+$/.test(text) || value < 1 || value > CONCURRENCY_MAX) {
        throw new UsageError(`--concurrency is a whole number from 1 to ${CONCURRENCY_MAX}, not ${JSON.stringify(text)}`);
    }
    return value;
}
