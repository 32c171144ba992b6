/** A server that is away for a while, such as one that is started again: who waits for a task anyway goes on waiting. */
import { ClientError } from "./asking.js";
const PATIENCE = 300000; // milliseconds that a server may be away
const PAUSE_MIN = 100;
const PAUSE_MAX = 2000;
/** What one wait knows of its server's absence. */
export class Absence {
    end;
    begun;
    pause = PAUSE_MIN;
    /** `end` is when the wait is over, on the clock of `performance`. */
    constructor(end) {
        this.end = end;
    }
    /** Pause before the server is asked again. Rejects with the error if it does not pass, or has lasted for too long. */
    async outlast(error) {
        const now = performance.now();
        this.begun ??= now;
        const over = Math.min(this.begun + PATIENCE, this.end);
        if (!(error instanceof ClientError) || !error.mayPass || now >= over) {
            throw error;
        }
        const pause = Math.max(this.pause, (error.retryAfter ?? 0) * 1000);
        await new Promise((resolve) => setTimeout(resolve, Math.min(pause, over - now)));
        this.pause = Math.min(this.pause * 2, PAUSE_MAX);
    }
    /** The server has answered. */
    ended() {
        this.begun = undefined;
        this.pause = PAUSE_MIN;
    }
}
