import Stepwell
import StepwellEngine
import StepwellHistory
import StepwellLog
import StepwellModel
import StepwellTemplates

extension Routes {
    private static let yaml = Operation.Content(type: "application/yaml", schema: [:])
    private static let version = Operation.Parameter("version", "This version; without it the newest.")

    static let templates: [Route] = [
        Route(
            "PUT", "/v1/templates", .administer,
            Operation(
                id: "putTemplate", tag: "Templates",
                summary: "Make a template known, so that tasks of it can be submitted by its name.",
                details:
                    "A version that is known keeps its text: the same text again changes nothing (200), another is refused (409).",
                query: [.init("environment", "Apply the overrides of that name under `environments`.")], body: yaml,
                answers: [
                    (201, "The template is new.", .json("TemplateName")), (200, "It was known.", .json("TemplateName")),
                ],
                problems: [409, 422]),
            bodyBytesMax: TemplateLoader.documentBytesMax + 1024,
            .later { call in
                try call.allowOnly("environment")
                let template = try TemplateLoader.load(
                    bytes: call.request.body, file: "template.yaml", environment: call.request.queried("environment")
                ).get()
                guard call.identity.namespaces.includes(template.namespace) else {
                    throw Problem(403, "not_allowed", "the token does not allow the namespace '\(template.namespace)'")
                }
                let isNew = try await call.service.register(template, by: call.identity.actor())
                return HTTPResponse(isNew ? 201 : 200, json: template.nameJSON)
            }),
        Route(
            "GET", "/v1/templates", .view,
            Operation(
                id: "listTemplates", tag: "Templates", summary: "List all templates with their versions.",
                answers: [(200, "The templates.", .json("TemplateList"))]),
            .now { call in
                let visible = call.service.catalog.all.filter { call.identity.namespaces.includes($0.namespace) }
                return HTTPResponse(json: ["templates": .array(visible.map(\.nameJSON))])
            }),
        Route(
            "GET", "/v1/templates/{namespace}/{name}", .view,
            Operation(
                id: "getTemplate", tag: "Templates", summary: "Show what a template says.", query: [version],
                answers: [(200, "The template.", .json("Template"))], problems: [404]),
            .now { call in
                try call.allowOnly("version")
                return HTTPResponse(json: try call.template().json)
            }),
        Route(
            "GET", "/v1/templates/{namespace}/{name}/graph", .view,
            Operation(
                id: "drawTemplate", tag: "Templates", summary: "Draw the steps of a template.",
                query: [version, .graphFormat], answers: [(200, "The drawing.", .drawing)], problems: [404]),
            .now { call in
                try call.allowOnly("version", "format")
                return HTTPResponse(GraphText(template: try call.template()), try call.graphFormat())
            }),
        Route(
            "POST", "/v1/templates/validate", .view,
            Operation(
                id: "validateTemplate", tag: "Templates",
                summary: "Say what is wrong with a template, without keeping it.",
                query: [.init("environment", "Apply the overrides of that name under `environments`.")], body: yaml,
                answers: [(200, "Whether it is valid, and all findings.", .json("Validation"))]),
            bodyBytesMax: TemplateLoader.documentBytesMax + 1024,
            .now { call in
                try call.allowOnly("environment")
                let load = TemplateLoader.load(
                    bytes: call.request.body, file: "template.yaml", environment: call.request.queried("environment"))
                return HTTPResponse(
                    json: ["valid": .bool(load.template != nil), "findings": .array(load.diagnostics.map(\.json))])
            }),
    ]
}

extension Call {
    fileprivate func template() throws -> Template {
        guard identity.namespaces.includes(self["namespace"]) else {
            throw CatalogError.unknown(self["namespace"], self["name"], [])
        }
        return try service.catalog.find(
            namespace: self["namespace"], name: self["name"], version: request.queried("version"),
            for: identity.namespaces)
    }
}

extension Diagnostic {
    fileprivate var json: JSON {
        [
            "severity": .string(severity.rawValue), "code": .string(code.rawValue), "message": .string(message),
            "cure": cure.map(JSON.string) ?? .null, "line": .number(String(line)), "column": .number(String(column)),
        ]
    }
}
