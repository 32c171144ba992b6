import StepwellModel
import Testing

@testable import StepwellServer

/// The description of the API, held to the routes and to itself.
@Suite struct OpenAPITests {
    private let document = OpenAPI.text.json

    @Test func everyRouteIsDescribedOnce() throws {
        var ids: Set<String> = []
        for route in Routes.all {
            let operation = try #require(document["paths"]?[route.path]?[route.method.lowercased()])
            #expect(operation["operationId"]?.string == route.operation.id)
            #expect(ids.insert(route.operation.id).inserted, "\(route.operation.id) is given twice")
            let names = (operation["parameters"]?.array ?? []).filter { $0["in"]?.string == "path" }.compactMap {
                $0["name"]?.string
            }
            #expect(names.count == route.path.count { $0 == "{" })
        }
        #expect(Routes.all.count > 30)
    }

    @Test func everyReferenceLeadsSomewhere() throws {
        let schemas = try #require(document["components"]?["schemas"])
        var count = 0
        func check(_ json: JSON) {
            switch json {
            case .object(let members):
                for member in members {
                    if member.name == "$ref", let target = member.value.string {
                        count += 1
                        let name = target.split(separator: "/").last.map(String.init) ?? ""
                        let isKnown = target.hasPrefix("#/components/responses/") || schemas[name] != nil
                        #expect(isKnown, "\(target)")
                    }
                    check(member.value)
                }
            case .array(let elements): for element in elements { check(element) }
            default: break
            }
        }
        check(document)
        #expect(count > 50)
    }

    @Test func everyExampleFitsItsSchema() throws {
        let schemas = try #require(document["components"]?["schemas"])
        var count = 0
        for route in Routes.all {
            guard let body = route.operation.body, let example = body.example else { continue }
            count += 1
            let schema = try JSONSchema(Self.resolved(body.schema, schemas))
            #expect(schema.violations(of: example).isEmpty, "\(route.operation.id)")
        }
        #expect(count > 8)
    }

    /// The schema with what its references lead to in their places.
    private static func resolved(_ schema: JSON, _ schemas: JSON) -> JSON {
        switch schema {
        case .object(let members):
            if let target = schema["$ref"]?.string, let name = target.split(separator: "/").last {
                return resolved(schemas[String(name)] ?? .null, schemas)
            }
            return .object(members.map { .init($0.name, resolved($0.value, schemas)) })
        case .array(let elements): return .array(elements.map { resolved($0, schemas) })
        default: return schema
        }
    }

    @Test func thePageListsEveryAddress() throws {
        let page = try Project.text(of: "docs/http-api.md")
        let written = page.split(separator: "\n").filter { $0.hasPrefix("| `") && $0.contains("/v1/") }.map(String.init)
        let wanted = Routes.all.map { route in
            let needs = route.permission == .none ? "–" : "\(route.permission)"
            return "| `\(route.method) \(route.path)` | \(needs) | \(route.operation.summary) |"
        }
        #expect(written == wanted)
    }
}
