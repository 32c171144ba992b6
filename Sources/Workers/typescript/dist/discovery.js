/** Finds handlers in files and folders. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { isHandlerClass } from "./handler.js";
/** Why the worker cannot start, in words for the person who started it. */
export class DiscoveryError extends Error {
}
const SCRIPTS = new Set([".js", ".mjs", ".cjs"]);
const TYPED = new Set([".ts", ".mts", ".cts"]);
/**
 * All handlers that the given files and folders export, by handler name.
 *
 * A folder is searched all the way down. Files and folders that only serve tests are left out.
 */
export async function findHandlers(targets) {
    const found = new Map();
    const places = new Map();
    const nameless = new Set();
    for (const file of targets.flatMap(filesOf)) {
        for (const thing of exportsOf(await load(file))) {
            if (!isHandlerClass(thing) || places.has(thing)) {
                continue;
            }
            if (!thing.handlerName) {
                nameless.add(`${thing.name} (${file})`);
                continue;
            }
            const other = found.get(thing.handlerName);
            if (other) {
                throw new DiscoveryError(`two handlers are named ${thing.handlerName}:\n  ${places.get(other)}\n  ${file}`);
            }
            places.set(thing, file);
            found.set(thing.handlerName, thing);
        }
    }
    if (found.size === 0) {
        throw new DiscoveryError(noneFound(targets, [...nameless]));
    }
    return found;
}
function noneFound(targets, nameless) {
    const text = `no handlers found in ${targets.join(", ")}`;
    return nameless.length > 0
        ? `${text}; these classes have no static handlerName: ${nameless.join(", ")}`
        : `${text}; a handler is an exported subclass of StepHandler, or what defineHandler returns`;
}
/** What a module exports, looking once into objects and lists, as CommonJS modules have them. */
function exportsOf(module) {
    return Object.values(module).flatMap((thing) => typeof thing === "object" && thing !== null ? [thing, ...Object.values(thing)] : [thing]);
}
function filesOf(target) {
    if (!existsSync(target)) {
        throw new DiscoveryError(`no such file or folder: ${target}`);
    }
    return statSync(target).isDirectory() ? folder(target) : [target];
}
function folder(path) {
    const names = readdirSync(path).sort();
    return names.filter((name) => !isApart(name)).flatMap((name) => {
        const inner = join(path, name);
        if (statSync(inner).isDirectory()) {
            return folder(inner);
        }
        const kind = extname(name);
        const isWanted = SCRIPTS.has(kind) || (TYPED.has(kind) && readsTypes() && !names.includes(compiled(name)));
        return isWanted ? [inner] : [];
    });
}
/** Whether a file or folder of this name holds no handlers for the worker. */
function isApart(name) {
    const apart = ["node_modules", "test", "tests", "__tests__"];
    return name.startsWith(".") || apart.includes(name) || /[.](test|spec|d|config)[.][cm]?[jt]s$/.test(name);
}
function compiled(name) {
    return name.replace(/ts$/, "js");
}
/** Whether this runtime runs TypeScript as it is. */
function readsTypes() {
    return Boolean(process.features.typescript) || "Bun" in globalThis || "Deno" in globalThis;
}
async function load(file) {
    if (TYPED.has(extname(file)) && !readsTypes()) {
        const name = compiled(basename(file));
        throw new DiscoveryError(`this runtime cannot run ${file}; compile it with tsc and name ${name}, or use Node 22.18, Bun or Deno`);
    }
    try {
        return (await import(pathToFileURL(resolve(file)).href));
    }
    catch (error) {
        const words = error instanceof Error ? error.stack ?? error.message : String(error);
        throw new DiscoveryError(`cannot import ${file}: ${words}`);
    }
}
