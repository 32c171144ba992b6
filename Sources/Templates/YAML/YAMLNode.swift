/// A value of a YAML document, with its place. An alias is the node of its anchor, shared.
struct YAMLNode: Sendable {
    enum Content: Sendable {
        /// The text, and whether it stood plain: only then can it be more than text. See ``YAMLScalar``.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        case mapping([YAMLEntry])
        /// Stands where a fault has been reported already; no reader says more about it.
        case invalid
    }

    var content: Content
    var place: Place
    /// Nodes within each other, this one included.
    var height = 1
    /// What the node costs when it is written out: its bytes of text and ``weightOfNode`` for each node.
    var weight = YAMLNode.weightOfNode

    static let weightOfNode = 16
}

/// One `name: value` of a mapping.
struct YAMLEntry: Sendable {
    var name: String
    var place: Place
    var value: YAMLNode
}

/// Why the text cannot be read any further.
struct YAMLFault: Error {
    var code: Diagnostic.Code
    var place: Place
    var message: String
    var cure: String?
}

extension YAMLNode {
    var isNull: Bool {
        if case .scalar(let text, isPlain: true) = content { YAMLScalar(plain: text) == .null } else { false }
    }

    var isInvalid: Bool {
        if case .invalid = content { true } else { false }
    }

    /// For messages: `the text 'abc'`, `the number 3`, `a list`, `nothing`.
    var found: String {
        switch content {
        case .sequence: return "a list"
        case .mapping: return "a mapping"
        case .invalid: return "nothing"
        case .scalar(let text, let isPlain):
            let shown = text.unicodeScalars.count <= 60 ? text : String(text.prefix(57)) + "…"
            guard isPlain else { return "the text '\(shown)'" }
            return switch YAMLScalar(plain: text) {
            case .null: "nothing"
            case .bool: "the boolean \(shown)"
            case .integer, .decimal, .notFinite: "the number \(shown)"
            case .text: "the text '\(shown)'"
            }
        }
    }

    /// The node that a JSON Pointer leads to, or the last on the way that there is.
    func node(at pointer: String) -> YAMLNode {
        var node = self
        for component in pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            let name = component.replacing("~1", with: "/").replacing("~0", with: "~")
            switch node.content {
            case .mapping(let entries):
                guard let entry = entries.first(where: { $0.name == name }) else { return node }
                node = entry.value
            case .sequence(let elements):
                guard let index = Int(name), elements.indices.contains(index) else { return node }
                node = elements[index]
            case .scalar, .invalid: return node
            }
        }
        return node
    }
}
