import StepwellModel

/// The JSON Schemas of what the API takes and gives.
enum Schemas {
    static func reference(_ name: String) -> JSON { ["$ref": .string("#/components/schemas/\(name)")] }

    static let pathParameters = [
        "task": "The id of a task, the beginning of one that no other shares, a key, or `last`.",
        "other": "The task to compare with.", "step": "The name of a step.", "worker": "The `worker_id` of a session.",
        "scope": "`namespace` or `handler`.", "target": "The name of the namespace or handler.",
        "webhook": "The id of a webhook.",
        "namespace": "The template's namespace.", "name": "The template's name.",
    ]

    static let taskStates: JSON = ["type": "string", "enum": .array(TaskState.allCases.map { .string($0.name) })]
    private static let stepStates: JSON = [
        "type": "string", "enum": .array(StepState.allCases.map { .string($0.name) }),
    ]

    static let newTaskExample: JSON = [
        "name": "analytics_pipeline", "namespace": "data_pipeline", "context": ["data": "real"],
        "idempotency_key": "2026-11-24", "tags": ["nightly"],
    ]

    private static let text: JSON = ["type": "string"]
    private static let textOrNull: JSON = ["type": ["string", "null"]]
    private static let count: JSON = ["type": "integer", "minimum": 0]
    private static let countOrNull: JSON = ["type": ["integer", "null"], "minimum": 0]
    private static let time: JSON = ["type": "string", "format": "date-time"]
    private static let timeOrNull: JSON = ["type": ["string", "null"], "format": "date-time"]

    private static func object(_ properties: JSON, required: [String] = [], isClosed: Bool = false) -> JSON {
        var members: [JSON.Member] = [.init("type", "object"), .init("properties", properties)]
        if !required.isEmpty { members.append(.init("required", .array(required.map(JSON.string)))) }
        if isClosed { members.append(.init("additionalProperties", false)) }
        return .object(members)
    }

    private static func list(_ of: JSON) -> JSON { ["type": "array", "items": of] }

    static let all: JSON = .object(requests + webhookRequests + answers)

    private static let names: JSON = ["type": ["array", "null"], "items": text, "maxItems": 100]

    private static let webhookRequests: [JSON.Member] = [
        .init(
            "NewWebhook",
            object(
                [
                    "url": text, "types": names, "namespaces": names, "tasks": names,
                    "secret": ["type": ["string", "null"], "pattern": "^secret:"],
                    "after": [
                        "type": ["integer", "null"], "minimum": 0, "description": "Without it: what comes from now on.",
                    ],
                    "disable_after_s": ["type": ["integer", "null"], "minimum": 1, "maximum": 31_536_000],
                ], required: ["url"], isClosed: true)),
        .init("EnableWebhook", object(["after": countOrNull], isClosed: true)),
    ]

    private static let webhook = object(
        [
            "id": text, "url": text, "types": list(text), "namespaces": list(text), "tasks": list(text),
            "secret": textOrNull, "begins_after": count, "created_at": time, "disable_after_s": count,
            "state": ["type": "string", "enum": ["active", "failing", "disabled"]], "after": count, "lag": count,
            "sent": count, "failed": count, "last_sent_at": timeOrNull, "last_failed_at": timeOrNull,
            "last_error": textOrNull, "failing_since": timeOrNull, "next_try_at": timeOrNull,
            "disabled_at": timeOrNull,
        ], required: ["id", "url", "state", "after", "lag"])

    private static let requests: [JSON.Member] = [
        .init(
            "NewTask",
            object(
                [
                    "name": text, "namespace": ["type": "string", "default": "default"],
                    "version": ["type": ["string", "null"], "description": "Without it the newest."],
                    "context": ["type": ["object", "null"], "description": "The task's input."],
                    "priority": ["type": ["integer", "null"], "minimum": -100, "maximum": 100],
                    "tags": [
                        "type": ["array", "null"], "items": ["type": "string", "maxLength": 4096], "maxItems": 100,
                    ],
                    "correlation_id": textOrNull, "parent_correlation_id": textOrNull,
                    "traceparent": [
                        "type": ["string", "null"], "description": "Without it the one of the request's header.",
                    ],
                    "idempotency_key": [
                        "type": ["string", "null"], "minLength": 1, "maxLength": 512,
                        "description": "At most one task of the namespace and name is found by it.",
                    ],
                    "replace": [
                        "type": ["boolean", "null"],
                        "description": "With a key that has a task: submit another one, which the key then names.",
                    ],
                    "initiator": textOrNull, "source_system": textOrNull, "reason": textOrNull,
                ], required: ["name"], isClosed: true)),
        .init(
            "NewTasks",
            object(
                ["tasks": ["type": "array", "items": reference("NewTask"), "minItems": 1, "maxItems": 10_000]],
                required: ["tasks"], isClosed: true)),
        .init("Reason", object(["reason": textOrNull], isClosed: true)),
        .init(
            "NewLimit",
            object(
                [
                    "concurrency_max": [
                        "type": ["integer", "null"], "minimum": 0, "maximum": 1_000_000,
                        "description": "How many attempts run at once at most; 0: nothing starts.",
                    ],
                    "rate": [
                        "type": ["string", "null"],
                        "description":
                            "How many attempts start in a time at most: `10/s`, `100/min`, `3/h`, `1/day`, `3/1500ms`.",
                    ],
                    "burst": [
                        "type": ["integer", "null"], "minimum": 1, "maximum": 1_000_000,
                        "description":
                            "How many start at once after a quiet time; without it as many as the rate says.",
                    ],
                    "reason": textOrNull,
                ], isClosed: true)),
        .init(
            "Retry",
            object(["steps": ["type": ["array", "null"], "items": text], "reason": textOrNull], isClosed: true)),
        .init("Resolution", object(["result": [:], "reason": textOrNull], isClosed: true)),
        .init(
            "Bulk",
            object(
                [
                    "action": ["type": "string", "enum": ["cancel", "retry", "pause", "resume"]],
                    "namespace": textOrNull,
                    "name": textOrNull,
                    "state": ["anyOf": [taskStates, ["type": "null"]]], "reason": textOrNull,
                    "dry_run": ["type": ["boolean", "null"]],
                    "limit": ["type": ["integer", "null"], "minimum": 1, "maximum": 1000],
                ], required: ["action"], isClosed: true)),
        .init(
            "Fork",
            object(
                [
                    "from": ["type": "string", "description": "The step to run again."],
                    "input": ["type": ["object", "null"], "description": "Members of the input to change."],
                    "results": [
                        "type": ["object", "null"],
                        "description": "Results to take over instead of the recorded ones, by the step's name.",
                    ],
                    "version": ["type": ["string", "null"], "description": "Another version of the template."],
                    "reason": textOrNull,
                ], required: ["from"], isClosed: true)),
        .init(
            "Prune",
            object(
                [
                    "before": time,
                    "tasks": ["type": ["array", "null"], "items": text, "maxItems": 1000], "reason": textOrNull,
                ], required: ["before"], isClosed: true)),
        .init(
            "Hello",
            object(
                [
                    "type": ["const": "hello"], "protocol": ["type": "integer"],
                    "handlers": [
                        "type": "array", "minItems": 1,
                        "items": object(["name": text, "version": textOrNull], required: ["name"]),
                    ],
                    "concurrency": ["type": ["integer", "null"], "minimum": 1, "maximum": 1000], "sdk": textOrNull,
                    "name": textOrNull,
                    "namespaces": ["type": ["array", "null"], "items": text],
                    "labels": ["type": ["object", "null"], "additionalProperties": text],
                ], required: ["type", "protocol", "handlers"])),
        .init("Poll", object(["after": countOrNull, "wait_ms": countOrNull, "attempts_max": countOrNull])),
        .init(
            "Delivery",
            object(
                ["number": ["type": "integer", "minimum": 1], "messages": list(reference("Message"))],
                required: ["number", "messages"])),
        .init("Message", object(["type": text, "lease": count], required: ["type"])),
    ]

    private static let answers: [JSON.Member] = [
        .init(
            "Task",
            object(
                [
                    "task_id": ["type": "string", "format": "uuid"], "namespace": text, "name": text, "version": text,
                    "key": textOrNull, "state": taskStates, "priority": ["type": "integer"],
                    "input": ["type": "object"],
                    "submitted_at": time, "completed_at": timeOrNull,
                    "steps": ["type": "object", "additionalProperties": reference("Step")],
                ], required: ["task_id", "namespace", "name", "version", "state", "input", "submitted_at", "steps"])),
        .init(
            "Step",
            object(
                [
                    "name": text, "state": stepStates, "attempts": count, "max_attempts": count, "lost": count,
                    "result": [:],
                    "error": ["type": "object"], "started_at": timeOrNull, "completed_at": timeOrNull,
                ], required: ["state", "attempts", "max_attempts"])),
        .init("StepList", object(["steps": list(reference("Step"))], required: ["steps"])),
        .init(
            "TaskSummary",
            object(
                [
                    "task_id": ["type": "string", "format": "uuid"], "namespace": text, "name": text, "version": text,
                    "key": textOrNull, "state": taskStates, "priority": ["type": "integer"], "submitted_at": time,
                    "changed_at": time,
                    "steps": count, "steps_done": count, "steps_failed": count, "events": count,
                ], required: ["task_id", "namespace", "name", "version", "state"])),
        .init(
            "TaskList",
            object(["tasks": list(reference("TaskSummary")), "next": textOrNull], required: ["tasks", "next"])),
        .init(
            "CreatedTasks",
            object(
                [
                    "tasks": list(
                        object(
                            ["task_id": ["type": "string", "format": "uuid"], "created": ["type": "boolean"]],
                            required: ["task_id", "created"]))
                ], required: ["tasks"])),
        .init(
            "BulkOutcome",
            object(
                [
                    "action": text, "dry_run": ["type": "boolean"],
                    "tasks": list(
                        object(
                            [
                                "task_id": text, "state": taskStates, "done": ["type": "boolean"], "code": text,
                                "detail": text,
                            ],
                            required: ["task_id", "state", "done"])),
                ], required: ["action", "dry_run", "tasks"])),
        .init(
            "Limit",
            object(
                [
                    "scope": ["type": "string", "enum": ["namespace", "handler"]], "name": text,
                    "concurrency_max": countOrNull, "rate": textOrNull, "burst": countOrNull, "running": countOrNull,
                    "waiting": countOrNull, "due_at": timeOrNull, "event": count, "set_at": time, "set_by": text,
                    "reason": textOrNull,
                ], required: ["scope", "name", "concurrency_max", "rate", "burst", "running", "waiting"])),
        .init("LimitList", object(["limits": list(reference("Limit"))], required: ["limits"])),
        .init("Event", object(["seq": count, "type": text, "time": time], required: ["type"])),
        .init(
            "EventList",
            object(["events": list(reference("Event")), "next_after": count], required: ["events", "next_after"])),
        .init(
            "CloudEvents",
            object(["events": list(object(["specversion": text, "id": text, "type": text]))], required: ["events"])),
        .init(
            "TemplateName",
            object(
                [
                    "namespace": text, "name": text, "version": text, "digest": text, "steps": count,
                    "description": textOrNull,
                ],
                required: ["namespace", "name", "version", "digest"])),
        .init("TemplateList", object(["templates": list(reference("TemplateName"))], required: ["templates"])),
        .init("Template", object(["namespace": text, "name": text, "version": text, "steps": ["type": "object"]])),
        .init(
            "Validation",
            object(
                [
                    "valid": ["type": "boolean"],
                    "findings": list(
                        object(["severity": text, "code": text, "message": text, "line": count, "column": count])),
                ], required: ["valid", "findings"])),
        .init(
            "DryRun",
            object(
                [
                    "dry_run": ["const": true], "task_id": text, "reused": list(text), "replaced": list(text),
                    "next": list(text), "later": list(text), "held": list(text), "input": list(["type": "object"]),
                    "warnings": list(text),
                ], required: ["dry_run", "reused", "replaced", "next", "later", "held"])),
        .init(
            "Pruned",
            object(
                ["dry_run": ["type": "boolean"], "before": time, "tasks": count, "events": count],
                required: ["dry_run", "before", "tasks", "events"])),
        .init(
            "LogLines",
            object(
                [
                    "lines": list(
                        object(
                            [
                                "time": time, "step": text, "attempt": count, "lease": count, "level": text,
                                "text": text,
                            ])), "next": textOrNull,
                ], required: ["lines", "next"])),
        .init("Explanation", object([:])),
        .init("Difference", object([:])),
        .init("World", object([:])),
        .init(
            "Welcome",
            object(
                [
                    "type": ["const": "welcome"], "protocol": ["type": "integer"], "worker": text, "worker_id": text,
                    "lease_ms": count, "poll_ms_max": count, "result_bytes_max": count, "line_bytes_max": count,
                ], required: ["type", "protocol", "worker", "worker_id", "lease_ms", "poll_ms_max"])),
        .init("Messages", object(["number": count, "messages": list(reference("Message"))], required: ["messages"])),
        .init(
            "WorkerList",
            object(
                [
                    "workers": list(
                        object(
                            ["name": text, "kind": text, "concurrency": count, "running": count, "worker_id": text],
                            required: ["name", "kind", "concurrency", "running"]))
                ], required: ["workers"])),
        .init("Webhook", webhook),
        .init("WebhookList", object(["webhooks": list(reference("Webhook"))], required: ["webhooks"])),
        .init("Health", object(["status": text, "held": ["type": "boolean"]], required: ["status"])),
        .init(
            "Released",
            object(
                ["released": ["type": "boolean"], "held": ["type": "boolean"]], required: ["released", "held"])),
        .init(
            "Statistics",
            object(["store_id": text, "events": count, "commits": count], required: ["store_id", "events"])),
        .init(
            "Problem",
            object(
                [
                    "type": text, "title": text, "status": ["type": "integer"], "detail": text, "code": text,
                    "cure": text,
                ],
                required: ["type", "title", "status", "detail", "code"])),
    ]
}
