/// Holds a value against rules. It goes as deep as the schema does, however deep the value.
struct SchemaCheck {
    let rules: [JSONSchema.Rule]
    let limit: Int
    private(set) var found: [JSONSchema.Finding] = []
    /// The way to the value at hand.
    private var path: [PathComponent] = []

    private enum PathComponent {
        case member(String)
        case element(Int)
    }

    init(rules: [JSONSchema.Rule], limit: Int) {
        self.rules = rules
        self.limit = limit
    }

    mutating func check(_ value: JSON, by index: Int) {
        guard found.count < limit else { return }
        let rule = rules[index]
        if rule.isNever { return violation("nothing is allowed here") }
        if let types = rule.types, types.isDisjoint(with: JSONSchema.TypeSet(of: value)) {
            return violation("must be \(types.description), found \(value.shown)")
        }
        if let choices = rule.choices, !choices.contains(where: { isEqual($0, value) }) {
            violation("must be one of \(shown(choices)), found \(value.shown)")
        }
        if let constant = rule.constant, !isEqual(constant, value) {
            violation("must be \(constant.shown), found \(value.shown)")
        }
        switch value {
        case .number(let text): checkNumber(text, by: rule)
        case .string(let text): checkCount(of: .character, by: rule) { text.unicodeScalars.count }
        case .array(let elements): checkElements(elements, by: rule)
        case .object(let members): checkMembers(members, by: rule)
        case .null, .bool: break
        }
        checkCombinations(value, by: rule)
    }

    private mutating func checkNumber(_ text: String, by rule: JSONSchema.Rule) {
        for bound in rule.bounds {
            let fits =
                switch bound.relation {
                case .minimum: order(text, bound.limit) >= 0
                case .maximum: order(text, bound.limit) <= 0
                case .exclusiveMinimum: order(text, bound.limit) > 0
                case .exclusiveMaximum: order(text, bound.limit) < 0
                }
            if !fits {
                violation("must be \(bound.relation.rawValue) \(bound.limit), found \(JSON.number(text).shown)")
            }
        }
    }

    private mutating func checkElements(_ elements: [JSON], by rule: JSONSchema.Rule) {
        checkCount(of: .element, by: rule) { elements.count }
        guard let items = rule.items else { return }
        for (index, element) in elements.enumerated() {
            guard found.count < limit else { return }
            path.append(.element(index))
            check(element, by: items)
            path.removeLast()
        }
    }

    private mutating func checkMembers(_ members: [JSON.Member], by rule: JSONSchema.Rule) {
        checkCount(of: .member, by: rule) { members.count }
        if !rule.required.isEmpty {
            let present = Set(members.map(\.name))
            for name in rule.required where !present.contains(name) { violation("'\(name)' is missing") }
        }
        for member in members {
            guard found.count < limit else { return }
            guard let schema = rule.properties[member.name] ?? rule.additionalProperties else { continue }
            path.append(.member(member.name))
            if rule.properties[member.name] == nil, rules[schema].isNever {
                violation("is no member that the schema knows")
            } else {
                check(member.value, by: schema)
            }
            path.removeLast()
        }
    }

    private mutating func checkCount(
        of subject: JSONSchema.Count.Subject, by rule: JSONSchema.Rule, _ amount: () -> Int
    ) {
        for count in rule.counts where count.subject == subject {
            let amount = Int64(amount())
            guard count.isMinimum ? amount < count.limit : amount > count.limit else { continue }
            let noun = count.limit == 1 ? subject.rawValue : subject.rawValue + "s"
            violation("must have \(count.isMinimum ? "at least" : "at most") \(count.limit) \(noun), has \(amount)")
        }
    }

    private mutating func checkCombinations(_ value: JSON, by rule: JSONSchema.Rule) {
        for schema in rule.allOf { check(value, by: schema) }
        if let schemas = rule.anyOf, !schemas.contains(where: { fits(value, $0) }) {
            violation("fits none of the \(schemas.count) schemas of 'anyOf'")
        }
        if let schemas = rule.oneOf {
            let fitting = schemas.count { fits(value, $0) }
            if fitting != 1 { violation("must fit one of the \(schemas.count) schemas of 'oneOf', fits \(fitting)") }
        }
        if let schema = rule.not, fits(value, schema) { violation("must not fit the schema of 'not'") }
    }

    private func fits(_ value: JSON, _ index: Int) -> Bool {
        var trial = SchemaCheck(rules: rules, limit: 1)
        trial.check(value, by: index)
        return trial.found.isEmpty
    }

    private mutating func violation(_ message: String) {
        guard found.count < limit else { return }
        let pointer = path.reduce("") { pointer, component in
            switch component {
            case .member(let name): JSON.pointer(pointer, name)
            case .element(let index): "\(pointer)/\(index)"
            }
        }
        found.append(JSONSchema.Finding(pointer, message))
    }
}

private func shown(_ choices: [JSON]) -> String {
    let first = choices.prefix(10).map(\.shown).joined(separator: ", ")
    return choices.count > 10 ? first + " …" : first
}

/// Below zero, zero or above it, as the first number is less than, equal to or greater than the second.
private func order(_ left: String, _ right: String) -> Int {
    if let left = Int64(left), let right = Int64(right) { return left < right ? -1 : left > right ? 1 : 0 }
    guard let left = Double(left), let right = Double(right) else { return 0 }
    return left < right ? -1 : left > right ? 1 : 0
}

/// Equal in the sense of JSON Schema: `1` is `1.0`, and the order of members does not count.
private func isEqual(_ left: JSON, _ right: JSON) -> Bool {
    switch (left, right) {
    case (.number(let left), .number(let right)): return order(left, right) == 0
    case (.array(let left), .array(let right)): return left.elementsEqual(right, by: isEqual)
    case (.object(let left), .object(let right)):
        guard left.count == right.count else { return false }
        let values = Dictionary(right.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        return left.allSatisfy { member in values[member.name].map { isEqual(member.value, $0) } ?? false }
    default: return left == right
    }
}
