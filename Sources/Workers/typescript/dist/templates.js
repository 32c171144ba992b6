/** Templates: made known to a server, looked at, checked; and drawings of steps. */
import { query, segment } from "./asking.js";
import { WebhookCalls } from "./webhooks.js";
/** What a client says about templates, and what `WebhookCalls` has. */
export class TemplateCalls extends WebhookCalls {
    /**
     * Make a template known, from its YAML. A known version must have the same text.
     * `environment` names the overrides under `environments` that are applied.
     */
    putTemplate(yaml, environment) {
        return this.askWithYAML("PUT", `/v1/templates${query({ environment })}`, yaml);
    }
    /** All templates that the server knows. */
    async listTemplates() {
        return (await this.ask("GET", "/v1/templates")).templates;
    }
    /** What a template says; the newest version without one. */
    getTemplate(namespace, name, version) {
        return this.ask("GET", `/v1/templates/${segment(namespace)}/${segment(name)}${query({ version })}`);
    }
    /** A drawing of a template's steps, as text unless another format is wanted. */
    drawTemplate(namespace, name, options = {}) {
        return this.askForText(`/v1/templates/${segment(namespace)}/${segment(name)}/graph${query({ ...options })}`);
    }
    /** What is wrong with a template's YAML; the server does not keep it. */
    validateTemplate(yaml, environment) {
        return this.askWithYAML("POST", `/v1/templates/validate${query({ environment })}`, yaml);
    }
}
