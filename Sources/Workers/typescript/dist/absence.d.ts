/** A server that is away for a while, such as one that is started again: who waits for a task anyway goes on waiting. */
/** What one wait knows of its server's absence. */
export declare class Absence {
    private readonly end;
    private begun;
    private pause;
    /** `end` is when the wait is over, on the clock of `performance`. */
    constructor(end: number);
    /** Pause before the server is asked again. Rejects with the error if it does not pass, or has lasted for too long. */
    outlast(error: unknown): Promise<void>;
    /** The server has answered. */
    ended(): void;
}
