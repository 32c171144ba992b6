/** What the example's tests want to see of a handler: that it began, that it ended, and slowness. */

import { appendFileSync } from "node:fs";
import process from "node:process";

import type { StepContext } from "stepwell";

/**
 * Leave `start STEP ATTEMPT` and `end STEP ATTEMPT` in the file that STEP_COUNTER_FILE names.
 *
 * STEP_DELAY_MS makes every step take that much longer, for demonstrations.
 */
export async function traced<T>(context: StepContext, work: () => T | Promise<T>): Promise<T> {
  leave("start", context);
  await context.sleep(Number(process.env["STEP_DELAY_MS"] ?? 0) / 1000);
  const result = await work();
  leave("end", context);
  return result;
}

function leave(what: string, context: StepContext): void {
  const file = process.env["STEP_COUNTER_FILE"];
  if (file) {
    // One write, so that lines of several processes do not mix.
    appendFileSync(file, `${what} ${context.stepName} ${context.attempt}\n`);
  }
}
