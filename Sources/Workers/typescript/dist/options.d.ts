/** The options of a worker's command line. */
/** What makes no sense; the message says what. */
export declare class UsageError extends Error {
}
/** What a worker was told. */
export interface WorkerOptions {
    targets: string[];
    server?: string;
    concurrency: number;
    name?: string;
    namespaces: string[];
    labels: Record<string, string>;
    wantsHelp: boolean;
    wantsVersion: boolean;
}
/** Read the words after the program's name. Throws `UsageError`. */
export declare function parseOptions(words: readonly string[], concurrency: number): WorkerOptions;
