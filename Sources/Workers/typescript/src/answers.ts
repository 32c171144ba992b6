/** What goes to a server's API, and what comes back: the members have the names of the API. */

/** A task to submit. */
export interface NewTask {
  /** The template's name. */
  name: string;
  /** The template's namespace; "default" without it. */
  namespace?: string;
  /** The template's version; the newest without it. */
  version?: string;
  /** The task's input. */
  context?: Record<string, unknown>;
  /** -100 to 100; greater goes first. */
  priority?: number;
  tags?: readonly string[];
  correlationId?: string;
  parentCorrelationId?: string;
  /** The task's identity: a second task of this key is the first one. */
  idempotencyKey?: string;
  /** With a key that has a task already: another one, which the key then names. */
  replace?: boolean;
  /** Who wants it; else the client's. */
  initiator?: string;
  /** Where it comes from; else the client's. */
  sourceSystem?: string;
  /** Why, for the log. */
  reason?: string;
}

/** A task's state. */
export type TaskState =
  | "pending" | "in_progress" | "waiting_for_retry" | "blocked_by_failures" | "paused" | "complete" | "error"
  | "cancelled" | "resolved_manually";

/** A step's state. */
export type StepState =
  | "pending" | "enqueued" | "in_progress" | "waiting_for_retry" | "complete" | "error" | "skipped" | "cancelled"
  | "resolved_manually";

/** Why a step's last attempt failed. */
export interface StepError {
  message: string;
  error_type: string;
  error_code?: string;
  retryable: boolean;
  backtrace?: string;
  metadata?: Record<string, unknown>;
}

/** One step of a task. Times are RFC 3339. */
export interface Step {
  name?: string;
  state: StepState;
  attempts: number;
  max_attempts: number;
  /** Attempts that ended with their worker. */
  lost: number;
  result?: unknown;
  error?: StepError;
  /** Steps that must be complete before. */
  waits_for?: string[];
  started_at: string | null;
  completed_at: string | null;
}

/** A task with its steps. */
export interface Task {
  task_id: string;
  namespace: string;
  name: string;
  version: string;
  /** Its idempotency key. */
  key: string | null;
  state: TaskState;
  priority: number;
  input: Record<string, unknown>;
  submitted_at: string;
  completed_at: string | null;
  steps: Record<string, Step>;
}

/** A task as a line of a list. */
export interface TaskSummary {
  task_id: string;
  namespace: string;
  name: string;
  version: string;
  key: string | null;
  state: TaskState;
  priority: number;
  submitted_at: string;
  changed_at: string;
  steps: number;
  steps_done: number;
  steps_failed: number;
}

/** A page of tasks. */
export interface TaskList {
  tasks: TaskSummary[];
  /** The cursor of the next page; null on the last. */
  next: string | null;
}

/** A template that a server knows. */
export interface Template {
  namespace: string;
  name: string;
  version: string;
  digest: string;
  /** How many it has. */
  steps: number;
  description: string | null;
}

/** An event in the form of CloudEvents 1.0. */
export interface StepEvent {
  specversion: string;
  id: string;
  source: string;
  type: string;
  subject: string;
  time: string;
  data: Record<string, unknown>;
}

/** How a server is. */
export interface Health {
  status: string;
  version: string;
  /** Whether nothing is given to workers until `release`. */
  held: boolean;
  uptime_ms: number;
  open_tasks: number;
  running_attempts: number;
  workers: number;
  events: number;
}
