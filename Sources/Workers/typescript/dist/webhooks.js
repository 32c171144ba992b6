/** Webhooks: addresses that a server sends its events to. */
import { defined, segment } from "./asking.js";
import { LimitCalls } from "./limits.js";
/** What a client says about webhooks, and what `LimitCalls` has. */
export class WebhookCalls extends LimitCalls {
    /** Have events sent to an address, each at least once and in order. */
    createWebhook(webhook) {
        const { disableAfter, ...members } = webhook;
        return this.ask("POST", "/v1/webhooks", defined({ ...members, disable_after_s: disableAfter }));
    }
    /** All webhooks, and how they fare. */
    async listWebhooks() {
        return (await this.ask("GET", "/v1/webhooks")).webhooks;
    }
    /** A webhook by its id: how far it is behind, and its last error. */
    getWebhook(webhook) {
        return this.ask("GET", `/v1/webhooks/${segment(webhook)}`);
    }
    /** Have a webhook that was given up, or that waits, try again at once; from another event, if one is given. */
    enableWebhook(webhook, after) {
        return this.ask("POST", `/v1/webhooks/${segment(webhook)}/enable`, defined({ after }));
    }
    /** Send a webhook nothing more. Resolves to the webhook as it was. */
    removeWebhook(webhook) {
        return this.ask("DELETE", `/v1/webhooks/${segment(webhook)}`);
    }
}
