/** The eight handlers of the analytics pipeline. The README beside this folder describes every field of every result. */

export * from "./extracts.js";
export * from "./figures.js";
export * from "./transforms.js";
