/** The engine on standard input and output, which belong to the protocol; everything else is led around them. */
import { type Carrier, type Take } from "./message.js";
/** End the process at once, whatever its handlers are doing. */
export declare function leave(status: number, reason?: string): never;
/** Words of the worker itself, which belong to no step. */
export declare function complain(text: string): void;
/** Lines on standard input and output. All that is sent in one turn of the loop leaves in one system call. */
export declare class StandardStreams implements Carrier {
    private ends;
    private waiting;
    start(hello: Record<string, unknown>, take: Take): void;
    send(line: string): void;
    drain(done: () => void): void;
    finish(): Promise<void>;
    private flush;
}
/** Puts chunks of bytes together to lines of text; what has no end yet waits for it. */
export declare class Lines {
    private readonly take;
    private parts;
    constructor(take: (line: string) => void);
    add(chunk: Uint8Array): void;
}
