/** What has happened, and what would: events, log lines, explanations, comparisons, forks. */

import type { Task, TaskState } from "./answers.js";
import { defined, query, segment } from "./asking.js";
import { type DrawingFormat, TemplateCalls } from "./templates.js";

/** An event of the log: a fact, or a decision that followed from one. */
export interface LogEvent {
  seq: number;
  type: string;
  task_id: string | null;
  time: string;
  /** The number of the fact that it follows from. */
  cause: number | null;
  actor: { type: string; id: string };
  data: Record<string, unknown>;
}

/** A page of events, oldest first. */
export interface EventPage {
  events: LogEvent[];
  /** What comes later is after this number. */
  next_after: number;
}

/** A line that a handler has written. */
export interface LogLine {
  time: string;
  step: string;
  attempt: number;
  lease: number;
  level: string;
  text: string;
}

/** A page of log lines. */
export interface LogPage {
  lines: LogLine[];
  /** The cursor of the next page; null on the last. */
  next: string | null;
}

/** Which log lines of a task. */
export interface LogFilter {
  /** Only of this step. */
  step?: string;
  limit?: number;
  /** `next` of the page before. */
  cursor?: string | null;
}

/** Why a task or a step waits or has failed, and what can be done. */
export interface Explanation {
  task_id: string;
  state: TaskState;
  /** Each with the numbers of the events that bear it out. */
  sentences: { text: string; events: number[]; step: string | null }[];
  /** For each step that waits, what for. */
  waits: Record<string, Record<string, unknown>>;
  actions: { command: string; purpose: string }[];
}

/** Whether two tasks are alike, where they went apart, and all that differs. */
export interface Difference {
  alike: boolean;
  before: string;
  after: string;
  [member: string]: unknown;
}

/** The steps of a task by what becomes of them: done, run next, run later, or do not run. */
export interface Plan {
  reused: string[];
  replaced: string[];
  next: string[];
  later: string[];
  held: string[];
  warnings?: string[];
}

/** What a fork changes. */
export interface ForkOptions {
  /** Members of the input to change. */
  input?: Record<string, unknown>;
  /** Results to take over instead of the recorded ones, by step. */
  results?: Record<string, unknown>;
  /** Another version of the template. */
  version?: string;
  /** Why, for the log. */
  reason?: string;
}

/** What a client asks about the past and about what would be, and what `TemplateCalls` has. */
export class HistoryCalls extends TemplateCalls {
  /** A page of the log, oldest first: of one task, or of all. `after` is the `next_after` of the page before. */
  listEvents(options: { task?: string; after?: number; limit?: number } = {}): Promise<EventPage> {
    const { task, ...range } = options;
    return this.ask("GET", (task === undefined ? "/v1/events" : place(task, "events")) + query(range));
  }

  /** A page of what the handlers of a task have written. */
  listLogLines(task: string, filter: LogFilter = {}): Promise<LogPage> {
    return this.ask("GET", place(task, "logs") + query({ ...filter }));
  }

  /** All that the handlers of a task have written, page after page. */
  async *allLogLines(task: string, filter: Omit<LogFilter, "cursor"> = {}): AsyncGenerator<LogLine, void, undefined> {
    let cursor: string | null = null;
    do {
      const page: LogPage = await this.listLogLines(task, { ...filter, cursor });
      yield* page.lines;
      cursor = page.next;
    } while (cursor !== null);
  }

  /** Why a task, or one of its steps, waits or has failed, and what can be done. */
  explainTask(task: string, step?: string): Promise<Explanation> {
    return this.ask("GET", place(task, "explain") + query({ step }));
  }

  /** A drawing of a task's steps with their states, as text unless another format is wanted. */
  drawTask(task: string, format?: DrawingFormat): Promise<string> {
    return this.askForText(place(task, "graph") + query({ format }));
  }

  /** Compare two tasks. */
  diffTasks(task: string, other: string): Promise<Difference> {
    return this.ask("GET", `${place(task, "diff")}/${segment(other)}`);
  }

  /** The whole of a task as a bundle, without the values at these JSON pointers. */
  exportTask(task: string, redact: readonly string[] = []): Promise<string> {
    const pointers = redact.map((pointer) => `redact=${segment(pointer)}`).join("&");
    return this.askForText(place(task, "export") + (pointers && `?${pointers}`));
  }

  /** Which steps of a task are done, which run next, and which then. */
  planTask(task: string): Promise<Plan> {
    return this.ask("GET", place(task, "plan"));
  }

  /** A new task that takes over the results before a step, and runs that step and all behind it. */
  forkTask(task: string, from: string, options: ForkOptions = {}): Promise<Task> {
    return this.ask("POST", place(task, "fork"), defined({ from, ...options }));
  }

  /** What `forkTask` would come to. Nothing is changed. */
  planFork(task: string, from: string, options: Omit<ForkOptions, "reason"> = {}): Promise<Plan> {
    return this.ask("POST", `${place(task, "fork")}?dry_run=true`, defined({ from, ...options }), true);
  }
}

function place(task: string, what: string): string {
  return `/v1/tasks/${segment(task)}/${what}`;
}
