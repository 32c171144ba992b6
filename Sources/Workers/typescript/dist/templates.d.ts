/** Templates: made known to a server, looked at, checked; and drawings of steps. */
import type { Template } from "./answers.js";
import { WebhookCalls } from "./webhooks.js";
/** How steps are drawn. */
export declare type DrawingFormat = "text" | "mermaid" | "dot" | "json";
/** What is wrong with a template, and where. */
export interface Finding {
    severity: string;
    code: string;
    message: string;
    cure: string | null;
    line: number;
    column: number;
}
/** Whether a template is valid, and all that was found; a valid one may have warnings. */
export interface Validation {
    valid: boolean;
    findings: Finding[];
}
/** What a template says. */
export interface TemplateText {
    namespace: string;
    name: string;
    version: string;
    /** By their names. */
    steps: Record<string, Record<string, unknown>>;
    [member: string]: unknown;
}
/** What a client says about templates, and what `WebhookCalls` has. */
export declare class TemplateCalls extends WebhookCalls {
    /**
     * Make a template known, from its YAML. A known version must have the same text.
     * `environment` names the overrides under `environments` that are applied.
     */
    putTemplate(yaml: string, environment?: string): Promise<Template>;
    /** All templates that the server knows. */
    listTemplates(): Promise<Template[]>;
    /** What a template says; the newest version without one. */
    getTemplate(namespace: string, name: string, version?: string): Promise<TemplateText>;
    /** A drawing of a template's steps, as text unless another format is wanted. */
    drawTemplate(namespace: string, name: string, options?: {
        version?: string;
        format?: DrawingFormat;
    }): Promise<string>;
    /** What is wrong with a template's YAML; the server does not keep it. */
    validateTemplate(yaml: string, environment?: string): Promise<Validation>;
}
