/** The command `stepwell-worker`, and how a program of your own becomes a worker. */
import * as modules from "node:module";
import process from "node:process";
import { DiscoveryError, findHandlers } from "./discovery.js";
import { isHandlerClass } from "./handler.js";
import { parseOptions, UsageError } from "./options.js";
import { Remote } from "./remote.js";
import { leave, StandardStreams } from "./streams.js";
import { Address, BadAddress } from "./transport.js";
import { VERSION } from "./version.js";
import { Worker } from "./worker.js";
const HELP = `Run the handlers that JavaScript files export.

Usage: stepwell-worker HANDLERS… [OPTIONS]

HANDLERS are files, or folders that are searched all the way down. Started by the engine
(stepwell run … --worker 'stepwell-worker handlers.js') the worker speaks with it on standard
input and output; else with the server at --server or STEPWELL_URL.

Options:
  --server URL       http://HOST:PORT, https://HOST:PORT or unix:PATH (else STEPWELL_URL)
  --concurrency N    how many attempts run side by side, 1 to 1000 (32)
  --name NAME        what the server's log calls this worker
  --namespace NAME   run steps of this namespace only; may be given several times
  --label KEY=VALUE  kept and shown by the server; may be given several times
  --version          print the version
  --help             show this help

A server's token is read from STEPWELL_TOKEN.

Examples:
  stepwell run shop.yaml --worker 'stepwell-worker handlers.js'
  stepwell-worker handlers.js --server http://127.0.0.1:7420 --concurrency 100
`;
const CONCURRENCY = 32;
const USAGE = 2; // exit status
/** Do what the words of the command line say. Ends the process. */
export async function main(words) {
    await orExplain(async () => {
        const options = parseOptions(words, CONCURRENCY);
        if (options.wantsHelp || options.wantsVersion) {
            process.stdout.write(options.wantsHelp ? HELP : `${VERSION}\n`);
            return;
        }
        if (options.targets.length === 0) {
            throw new UsageError("name the files that export your handlers");
        }
        const carrier = chooseCarrier(options);
        // What the files print while they are loaded is no part of the conversation.
        const write = process.stdout.write;
        process.stdout.write = (text) => process.stderr.write(text);
        modules.register?.(new URL("./resolve.js", import.meta.url));
        const handlers = await findHandlers(options.targets);
        process.stdout.write = write;
        await serve(handlers, carrier, options);
    });
}
/**
 * Make this program the worker of `handlers`; for programs that are not started through `stepwell-worker`.
 * The options are those of the command line. Resolves never: the process ends with the worker.
 */
export async function runWorker(handlers, words = process.argv.slice(2), concurrency = CONCURRENCY) {
    await orExplain(async () => {
        const options = parseOptions(words, concurrency);
        if (options.targets.length > 0) {
            throw new UsageError(`this worker has its handlers; it does not read ${options.targets[0]}`);
        }
        const table = new Map();
        for (const handler of handlers) {
            if (!isHandlerClass(handler) || !handler.handlerName) {
                throw new DiscoveryError("a handler is a subclass of StepHandler with a static handlerName");
            }
            if (table.has(handler.handlerName)) {
                throw new DiscoveryError(`two handlers are named ${handler.handlerName}`);
            }
            table.set(handler.handlerName, handler);
        }
        if (table.size === 0) {
            throw new DiscoveryError("a worker needs a handler");
        }
        await serve(table, chooseCarrier(options), options);
    });
}
/** Standard input and output when the engine has started this process, else a server. */
function chooseCarrier(options) {
    if (process.env["STEPWELL_WORKER"] === "1") {
        return { carrier: new StandardStreams(), isRemote: false };
    }
    const url = options.server ?? process.env["STEPWELL_URL"];
    if (!url) {
        throw new UsageError("no server: give --server URL or set STEPWELL_URL, or let the engine start the worker with --worker");
    }
    const token = process.env["STEPWELL_TOKEN"];
    return { carrier: new Remote(Address.parse(url), token, options.concurrency), isRemote: true };
}
async function serve(handlers, { carrier, isRemote }, options) {
    const registration = {};
    if (isRemote) {
        Object.assign(registration, options.name === undefined ? {} : { name: options.name });
        Object.assign(registration, options.namespaces.length > 0 ? { namespaces: options.namespaces } : {});
        Object.assign(registration, Object.keys(options.labels).length > 0 ? { labels: options.labels } : {});
    }
    const worker = new Worker(handlers, options.concurrency, carrier, registration);
    let signals = 0;
    const terminate = () => {
        signals += 1;
        if (signals > 1 && isRemote) {
            leave(1, "ended by a second signal");
        }
        worker.terminate(!isRemote);
    };
    process.on("SIGTERM", terminate);
    // Ctrl-C reaches the engine's whole group; then the engine decides.
    process.on("SIGINT", isRemote ? terminate : () => undefined);
    process.on("uncaughtException", (error) => worker.strike(error));
    process.on("unhandledRejection", (error) => worker.strike(error));
    await worker.serve();
    leave(0);
}
async function orExplain(work) {
    try {
        await work();
    }
    catch (error) {
        if (error instanceof UsageError || error instanceof BadAddress) {
            leave(USAGE, `${error.message}; see --help`);
        }
        if (error instanceof DiscoveryError) {
            leave(1, error.message);
        }
        throw error;
    }
}
