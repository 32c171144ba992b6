export * from "../dist/tasker.js";
