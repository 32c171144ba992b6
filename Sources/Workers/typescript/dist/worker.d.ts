/** The worker: says hello, takes attempts, runs them side by side, and reports how they ended. */
import { type StepHandlerClass } from "./handler.js";
import { type Carrier } from "./message.js";
/** What a remote worker says about itself when it registers. */
export interface Registration {
    name?: string;
    namespaces?: readonly string[];
    labels?: Readonly<Record<string, string>>;
}
/** Runs `handlers`, up to `concurrency` attempts at a time, until the engine has had enough. */
export declare class Worker {
    private readonly handlers;
    private readonly concurrency;
    private readonly carrier;
    private readonly registration;
    private readonly output;
    private readonly running;
    private limits;
    private isRefusing;
    private isDraining;
    private finished;
    constructor(handlers: ReadonlyMap<string, StepHandlerClass>, concurrency: number, carrier: Carrier, registration?: Registration);
    /** Work until the engine drains the worker. */
    serve(): Promise<void>;
    /** Finish the attempts at hand and take no others. */
    terminate(refusing: boolean): void;
    /** What nobody has caught. It fails the attempt that it comes from, as far as that can be told. */
    strike(error: unknown): void;
    private hello;
    private take;
    private drain;
    private leaveIfDone;
    private begin;
    private run;
    private handle;
    private fault;
}
