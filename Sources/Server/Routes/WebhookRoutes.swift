import StepwellEngine
import StepwellLog
import StepwellModel

extension Routes {
    private static let members = ["url", "types", "namespaces", "tasks", "secret", "after", "disable_after_s"]
    private static let disableAfterMax: Int64 = 365 * 86_400

    /// For admins: a webhook has this server send requests to whatever address, from where the server stands.
    static let webhooks: [Route] = [
        Route(
            "POST", "/v1/webhooks", .administer,
            Operation(
                id: "addWebhook", tag: "Webhooks",
                summary: "Have events sent to an address, each at least once and in order.",
                body: .json(
                    "NewWebhook",
                    example: [
                        "url": "https://example.org/hooks/stepwell", "types": ["task.completed", "task.blocked"],
                        "secret": "secret:hook-key",
                    ]),
                answers: [(201, "The webhook.", .json("Webhook"))]),
            .now { call in
                try call.needAllNamespaces("webhooks get events")
                let body = try call.members(only: members)
                let (after, seconds) = try reading { () throws(Malformed) in
                    (try body.optionalInteger("after"), try body.optionalInteger("disable_after_s"))
                }
                guard after ?? 0 >= 0, 1...disableAfterMax ~= seconds ?? 1 else {
                    throw Problem.malformed("'after' must be 0 or more, 'disable_after_s' 1 to \(disableAfterMax)")
                }
                let names = try ["types", "namespaces", "tasks"].map { name in
                    try reading { () throws(Malformed) in try body.optionalStrings(name) }
                }
                let webhook = try Webhook(
                    id: Webhook.newID(), url: try reading { () throws(Malformed) in try body.string("url") },
                    types: names[0], namespaces: names[1], tasks: names[2],
                    secret: try reading { () throws(Malformed) in try body.optionalString("secret") },
                    after: after.map { SequenceNumber(UInt64($0)) } ?? call.service.store.head.number,
                    created: call.service.now, disableAfter: seconds.map { .seconds($0) })
                return HTTPResponse(201, json: try call.service.outbox.add(webhook).json)
            }),
        Route(
            "GET", "/v1/webhooks", .administer,
            Operation(
                id: "listWebhooks", tag: "Webhooks", summary: "List all webhooks and how they fare.",
                answers: [(200, "The webhooks.", .json("WebhookList"))]),
            .now { call in
                try call.needAllNamespaces("webhooks get events")
                return HTTPResponse(json: ["webhooks": .array(call.service.outbox.reports.map(\.json))])
            }),
        Route(
            "GET", "/v1/webhooks/{webhook}", .administer,
            Operation(
                id: "getWebhook", tag: "Webhooks", summary: "Show a webhook: how far it is behind, and its last error.",
                answers: [(200, "The webhook.", .json("Webhook"))], problems: [404]),
            .now { call in
                try call.needAllNamespaces("webhooks get events")
                return HTTPResponse(json: try call.service.outbox.report(call["webhook"]).json)
            }),
        Route(
            "DELETE", "/v1/webhooks/{webhook}", .administer,
            Operation(
                id: "removeWebhook", tag: "Webhooks", summary: "Send a webhook nothing more.",
                answers: [(200, "The webhook as it was.", .json("Webhook"))], problems: [404]),
            .later { call in
                try call.needAllNamespaces("webhooks get events")
                return HTTPResponse(json: try await call.service.outbox.remove(call["webhook"]).json)
            }),
        Route(
            "POST", "/v1/webhooks/{webhook}/enable", .administer,
            Operation(
                id: "enableWebhook", tag: "Webhooks",
                summary:
                    "Have a webhook that was given up, or that waits, try again at once; from another event, if one is given.",
                body: Operation.Content(
                    type: "application/json", schema: Schemas.reference("EnableWebhook"), example: ["after": 1200],
                    isRequired: false),
                answers: [(200, "The webhook.", .json("Webhook"))], problems: [404]),
            .now { call in
                try call.needAllNamespaces("webhooks get events")
                let body = try call.members(only: ["after"])
                let after = try reading { () throws(Malformed) in try body.optionalInteger("after") }
                guard after ?? 0 >= 0 else { throw Problem.malformed("'after' must be 0 or more") }
                let report = try call.service.outbox.enable(
                    call["webhook"], after: after.map { SequenceNumber(UInt64($0)) })
                return HTTPResponse(json: report.json)
            }),
    ]
}
