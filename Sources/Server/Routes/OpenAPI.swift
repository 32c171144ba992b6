import Stepwell
import StepwellModel

/// The description of all routes, in OpenAPI 3.1, made from the routes themselves.
enum OpenAPI {
    static let text = JSONText(document)

    private static var document: JSON {
        var paths: [JSON.Member] = []
        for path in Routes.all.map(\.path) where !paths.contains(where: { $0.name == path }) {
            let routes = Routes.all.filter { $0.path == path }
            paths.append(.init(path, .object(routes.map { .init($0.method.lowercased(), $0.json) })))
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Stepwell", "version": .string(stepwellVersion),
                "summary": "A workflow engine that survives crashes.",
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
            "paths": .object(paths),
            "components": [
                "schemas": Schemas.all,
                "securitySchemes": ["token": ["type": "http", "scheme": "bearer"]],
                "responses": ["Problem": problem],
            ],
        ]
    }

    private static let problem: JSON = [
        "description": "What went wrong, with a stable code.",
        "content": ["application/problem+json": ["schema": Schemas.reference("Problem")]],
    ]
}

extension Route {
    fileprivate var json: JSON {
        var members: [JSON.Member] = [
            .init("operationId", .string(operation.id)), .init("tags", [.string(operation.tag)]),
            .init("summary", .string(operation.summary)),
        ]
        if let details = operation.details { members.append(.init("description", .string(details))) }
        let parameters = pathParameters + operation.query.map(\.json)
        if !parameters.isEmpty { members.append(.init("parameters", .array(parameters))) }
        if let body = operation.body {
            members.append(.init("requestBody", ["required": .bool(body.isRequired), "content": body.json]))
        }
        var answers: [JSON.Member] = operation.answers.map { answer in
            var answerMembers: [JSON.Member] = [.init("description", .string(answer.summary))]
            if let content = answer.content { answerMembers.append(.init("content", content.json)) }
            return .init(String(answer.status), .object(answerMembers))
        }
        for status in Set(operation.problems + statusesOfAll).sorted()
        where !operation.answers.contains(where: { $0.status == status }) {
            answers.append(.init(String(status), ["$ref": "#/components/responses/Problem"]))
        }
        members.append(.init("responses", .object(answers)))
        if permission != .none { members.append(.init("security", [["token": []], [:]])) }
        return .object(members)
    }

    /// What any route may answer.
    private var statusesOfAll: [Int] {
        var statuses = [400, 500, 503]
        if permission != .none { statuses += [401, 403] }
        // The beginning of an id may fit several tasks.
        if path.contains("{task}") { statuses += [404, 409] }
        if operation.body != nil { statuses.append(413) }
        return statuses
    }

    private var pathParameters: [JSON] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { part in
            let name = String(part.dropFirst().dropLast())
            return [
                "name": .string(name), "in": "path", "required": true,
                "description": .string(Schemas.pathParameters[name] ?? name),
                "schema": ["type": "string", "minLength": 1],
            ]
        }
    }
}

extension Operation.Parameter {
    fileprivate var json: JSON {
        [
            "name": .string(name), "in": .string(isHeader ? "header" : "query"), "description": .string(summary),
            "schema": schema,
        ]
    }
}

extension Operation.Content {
    fileprivate var json: JSON {
        var members: [JSON.Member] = [.init("schema", schema)]
        if let example { members.append(.init("example", example)) }
        let text: [JSON.Member] = hasText ? [.init("text/plain", ["schema": ["type": "string"]])] : []
        return .object([.init(type, .object(members))] + text)
    }
}
