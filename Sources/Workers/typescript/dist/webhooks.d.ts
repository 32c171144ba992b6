/** Webhooks: addresses that a server sends its events to. */
import { LimitCalls } from "./limits.js";
/** An address that gets events, and how it fares. Times are RFC 3339. */
export interface Webhook {
    id: string;
    url: string;
    types: string[];
    namespaces: string[];
    tasks: string[];
    secret: string | null;
    /** The number of the event that it was to begin after. */
    begins_after: number;
    created_at: string;
    disable_after_s: number;
    state: "active" | "failing" | "disabled";
    /** The number of the last event that it has. */
    after: number;
    /** How many events it is behind. */
    lag: number;
    sent: number;
    failed: number;
    last_sent_at: string | null;
    last_failed_at: string | null;
    last_error: string | null;
    failing_since: string | null;
    next_try_at: string | null;
    disabled_at: string | null;
}
/** A webhook to create; of all events, or of those that are named. */
export interface NewWebhook {
    url: string;
    /** Such as `task.completed`. */
    types?: readonly string[];
    namespaces?: readonly string[];
    /** Ids of tasks. */
    tasks?: readonly string[];
    /** The name of the server's secret that signs the events, such as `secret:hook-key`. */
    secret?: string;
    /** Events after this number; without it those from now on. */
    after?: number;
    /** An address that fails for so many seconds is given up. */
    disableAfter?: number;
}
/** What a client says about webhooks, and what `LimitCalls` has. */
export declare class WebhookCalls extends LimitCalls {
    /** Have events sent to an address, each at least once and in order. */
    createWebhook(webhook: NewWebhook): Promise<Webhook>;
    /** All webhooks, and how they fare. */
    listWebhooks(): Promise<Webhook[]>;
    /** A webhook by its id: how far it is behind, and its last error. */
    getWebhook(webhook: string): Promise<Webhook>;
    /** Have a webhook that was given up, or that waits, try again at once; from another event, if one is given. */
    enableWebhook(webhook: string, after?: number): Promise<Webhook>;
    /** Send a webhook nothing more. Resolves to the webhook as it was. */
    removeWebhook(webhook: string): Promise<Webhook>;
}
