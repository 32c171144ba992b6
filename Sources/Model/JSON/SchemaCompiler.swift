/// Turns a JSON Schema into rules, and finds all that is wrong with it.
struct SchemaCompiler {
    private(set) var rules: [JSONSchema.Rule] = []
    private(set) var faults: [JSONSchema.Finding] = []
    private(set) var unsupported: [JSONSchema.Finding] = []

    /// Keywords that say something to people and nothing about values.
    private static let annotations: Set<String> = [
        "title", "description", "default", "example", "examples", "$schema", "$id", "$comment", "format", "deprecated",
        "readOnly", "writeOnly",
    ]

    /// Adds the schema and all within it. The rule gets its place before its parts do, so that the whole is the first.
    /// - Returns: The place of its rule.
    @discardableResult
    mutating func compile(_ json: JSON, at pointer: String) -> Int {
        let index = rules.count
        rules.append(JSONSchema.Rule())
        switch json {
        case .bool(let allows): rules[index].isNever = !allows
        case .object(let members):
            var rule = JSONSchema.Rule()
            for member in members {
                apply(member.name, member.value, to: &rule, at: JSON.pointer(pointer, member.name))
            }
            rules[index] = rule
        default: fault(pointer, "a schema must be an object, true or false, not \(json.shown)")
        }
        return index
    }

    private mutating func apply(
        _ keyword: String, _ value: JSON, to rule: inout JSONSchema.Rule, at pointer: String
    ) {
        switch keyword {
        case "type": rule.types = types(value, at: pointer)
        case "properties": rule.properties = properties(value, at: pointer)
        case "required": rule.required = names(value, at: pointer)
        case "additionalProperties": rule.additionalProperties = compile(value, at: pointer)
        case "items": rule.items = compile(value, at: pointer)
        case "enum":
            rule.choices = value.array
            if value.array == nil { fault(pointer, "'enum' must be an array of values") }
        case "const": rule.constant = value
        case "minimum": bound(.minimum, value, &rule, at: pointer)
        case "maximum": bound(.maximum, value, &rule, at: pointer)
        case "exclusiveMinimum": bound(.exclusiveMinimum, value, &rule, at: pointer)
        case "exclusiveMaximum": bound(.exclusiveMaximum, value, &rule, at: pointer)
        case "minLength": count(.character, isMinimum: true, value, &rule, at: pointer)
        case "maxLength": count(.character, isMinimum: false, value, &rule, at: pointer)
        case "minItems": count(.element, isMinimum: true, value, &rule, at: pointer)
        case "maxItems": count(.element, isMinimum: false, value, &rule, at: pointer)
        case "minProperties": count(.member, isMinimum: true, value, &rule, at: pointer)
        case "maxProperties": count(.member, isMinimum: false, value, &rule, at: pointer)
        case "allOf": rule.allOf = schemas(value, at: pointer)
        case "anyOf": rule.anyOf = schemas(value, at: pointer)
        case "oneOf": rule.oneOf = schemas(value, at: pointer)
        case "not": rule.not = compile(value, at: pointer)
        default:
            if !Self.annotations.contains(keyword) { unsupported.append(JSONSchema.Finding(pointer, keyword)) }
        }
    }

    private mutating func types(_ value: JSON, at pointer: String) -> JSONSchema.TypeSet? {
        let names = value.string.map { [JSON.string($0)] } ?? value.array ?? []
        var types: JSONSchema.TypeSet = []
        for name in names {
            guard let type = name.string.flatMap({ JSONSchema.TypeSet(name: $0) }) else {
                fault(pointer, "\(name.shown) is no type; the types are \(listed(JSONSchema.TypeSet.names))")
                return nil
            }
            types.insert(type)
        }
        if names.isEmpty {
            fault(pointer, "'type' must be one of \(listed(JSONSchema.TypeSet.names)), or a list of them")
        }
        return types
    }

    private mutating func properties(_ value: JSON, at pointer: String) -> [String: Int] {
        guard let members = value.members else {
            fault(pointer, "'properties' must be an object of schemas, not \(value.shown)")
            return [:]
        }
        var properties: [String: Int] = [:]
        for member in members {
            properties[member.name] = compile(member.value, at: JSON.pointer(pointer, member.name))
        }
        return properties
    }

    private mutating func names(_ value: JSON, at pointer: String) -> [String] {
        let names = value.array?.compactMap(\.string)
        guard let names, names.count == value.array?.count else {
            fault(pointer, "'required' must be an array of names, such as [\"id\"]")
            return []
        }
        return names
    }

    private mutating func schemas(_ value: JSON, at pointer: String) -> [Int] {
        guard let elements = value.array, !elements.isEmpty else {
            fault(pointer, "must be an array of at least one schema, not \(value.shown)")
            return []
        }
        return elements.enumerated().map { compile($1, at: JSON.pointer(pointer, String($0))) }
    }

    private mutating func bound(
        _ relation: JSONSchema.Bound.Relation, _ value: JSON, _ rule: inout JSONSchema.Rule, at pointer: String
    ) {
        guard case .number(let text) = value else {
            return fault(pointer, "'\(pointer.lastComponent)' must be a number, not \(value.shown)")
        }
        rule.bounds.append(JSONSchema.Bound(relation: relation, limit: text))
    }

    private mutating func count(
        _ subject: JSONSchema.Count.Subject, isMinimum: Bool, _ value: JSON, _ rule: inout JSONSchema.Rule,
        at pointer: String
    ) {
        guard let limit = value.int, limit >= 0 else {
            return fault(pointer, "'\(pointer.lastComponent)' must be a whole number from 0, not \(value.shown)")
        }
        rule.counts.append(JSONSchema.Count(subject: subject, isMinimum: isMinimum, limit: limit))
    }

    private mutating func fault(_ pointer: String, _ message: String) {
        faults.append(JSONSchema.Finding(pointer, message))
    }
}

private func listed(_ names: [String]) -> String { names.joined(separator: ", ") }

extension String {
    fileprivate var lastComponent: Substring { split(separator: "/").last ?? "" }
}
