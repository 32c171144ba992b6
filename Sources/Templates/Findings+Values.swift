import StepwellModel

/// The values of nodes. Each function reports a value of the wrong kind, under the name of its key, and gives nil.
extension Findings {
    func entries(_ node: YAMLNode, _ name: String) -> [YAMLEntry]? {
        if case .mapping(let entries) = node.content { return entries }
        wrong(node, name, "a mapping of 'key: value'")
        return nil
    }

    func elements(_ node: YAMLNode, _ name: String) -> [YAMLNode]? {
        switch node.content {
        case .sequence(let elements): return elements
        case .scalar(let text, _): wrong(node, name, "a list", cure: "write '\(name): [\(text)]'")
        default: wrong(node, name, "a list", cure: "begin each element with '- '")
        }
        return nil
    }

    func text(_ node: YAMLNode, _ name: String) -> String? {
        guard case .scalar(let text, let isPlain) = node.content else {
            wrong(node, name, "text")
            return nil
        }
        guard !isPlain || YAMLScalar(plain: text) == .text else {
            wrong(node, name, "text", cure: node.isNull ? nil : "put it in quotes: \"\(text)\"")
            return nil
        }
        return text
    }

    /// The text of a scalar as it was written, also of a number or a boolean: `1.10` stays `1.10`.
    func textAsWritten(_ node: YAMLNode, _ name: String) -> String? {
        if case .scalar(let text, _) = node.content, !node.isNull { return text }
        wrong(node, name, "text")
        return nil
    }

    func boolean(_ node: YAMLNode, _ name: String) -> Bool? {
        guard case .scalar(let text, let isPlain) = node.content else {
            wrong(node, name, "true or false")
            return nil
        }
        if isPlain, case .bool(let value) = YAMLScalar(plain: text) { return value }
        let meant = [
            "yes": "true", "on": "true", "y": "true", "true": "true", "no": "false", "off": "false", "n": "false",
            "false": "false",
        ]
        wrong(
            node, name, "true or false", cure: meant[text.lowercased()].map { "write '\(name): \($0)', without quotes" }
        )
        return nil
    }

    func integer(_ node: YAMLNode, _ name: String, in range: ClosedRange<Int>) -> Int? {
        let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard let number = number(node, name, expected) else { return nil }
        guard let value = Int(exactly: number) else {
            if number.rounded(.towardZero) == number { return outOfRange(node, name, expected) }
            wrong(node, name, expected)
            return nil
        }
        return range.contains(value) ? value : outOfRange(node, name, expected)
    }

    func seconds(_ node: YAMLNode, _ name: String, in range: ClosedRange<Milliseconds>) -> Milliseconds? {
        let expected = "a number of seconds from \(seconds(range.lowerBound)) to \(seconds(range.upperBound))"
        guard let number = number(node, name, expected) else { return nil }
        let milliseconds = (number * 1000).rounded()
        guard let value = Int64(exactly: milliseconds), range.contains(Milliseconds(value)) else {
            return outOfRange(node, name, expected)
        }
        return Milliseconds(value)
    }

    /// One of a few words.
    func choice(_ node: YAMLNode, _ name: String, among words: [String]) -> String? {
        let expected = "one of \(words.joined(separator: ", "))"
        guard case .scalar(let text, _) = node.content else {
            wrong(node, name, expected)
            return nil
        }
        if words.contains(text) { return text }
        error(
            .unknownValue, at: node.place, "'\(name)' must be \(expected), found \(node.found)",
            cure: suggestion(for: text, among: words))
        return nil
    }

    /// The node as JSON. A number without a form in JSON is reported.
    func json(_ node: YAMLNode) -> JSON {
        switch node.content {
        case .invalid: return .null
        case .sequence(let elements): return .array(elements.map(json))
        case .mapping(let entries): return .object(entries.map { JSON.Member($0.name, json($0.value)) })
        case .scalar(let text, isPlain: false): return .string(text)
        case .scalar(let text, isPlain: true):
            switch YAMLScalar(plain: text) {
            case .null: return .null
            case .bool(let value): return .bool(value)
            case .integer(let number), .decimal(let number): return .number(number)
            case .text: return .string(text)
            case .notFinite:
                error(.badNumber, at: node.place, "JSON has no '\(text)'", cure: "put it in quotes, or leave it out")
                return .null
            }
        }
    }

    func wrong(_ node: YAMLNode, _ name: String, _ expected: String, cure: String? = nil) {
        guard !node.isInvalid else { return }
        error(.wrongType, at: node.place, "'\(name)' must be \(expected), found \(node.found)", cure: cure)
    }

    private func number(_ node: YAMLNode, _ name: String, _ expected: String) -> Double? {
        if case .scalar(let text, let isPlain) = node.content {
            switch YAMLScalar(plain: text) {
            case .integer(let number) where isPlain, .decimal(let number) where isPlain: return Double(number)
            case .integer, .decimal:
                wrong(node, name, expected, cure: "write it without quotes")
                return nil
            default: break
            }
        }
        wrong(node, name, expected)
        return nil
    }

    private func outOfRange<Value>(_ node: YAMLNode, _ name: String, _ expected: String) -> Value? {
        error(.outOfRange, at: node.place, "'\(name)' must be \(expected), found \(node.found)")
        return nil
    }

    /// `0.001`, `3600`.
    private func seconds(_ length: Milliseconds) -> String {
        length.rawValue % 1000 == 0 ? String(length.rawValue / 1000) : String(Double(length.rawValue) / 1000)
    }
}
