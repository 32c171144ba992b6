package import StepwellModel

/// The steps and edges of a template as text, Mermaid, Graphviz' DOT or JSON.
package struct GraphText {
    package enum Format: String, CaseIterable, Sendable {
        case text, mermaid, dot, json
    }

    let template: Template
    let states: [StepState]?

    package init(template: Template, states: [StepState]? = nil) {
        self.template = template
        self.states = states
    }

    package func text(_ format: Format) -> String {
        switch format {
        case .text: tree
        case .mermaid: mermaid
        case .dot: dot
        case .json: json.pretty
        }
    }

    /// The steps and the edges between them, in the template's order.
    private var json: JSON {
        [
            "namespace": .string(template.namespace), "name": .string(template.name),
            "version": .string(template.version),
            "steps": .array(
                template.steps.enumerated().map { index, step in
                    var members: [JSON.Member] = [.init("name", .string(step.name))]
                    if let states { members.append(.init("state", .string(states[index].name))) }
                    members.append(
                        .init("dependencies", .array(step.dependencies.map { .string(template.steps[$0].name) })))
                    return .object(members)
                }),
        ]
    }

    private var tree: String {
        TaskTree(template).lines.map { line in
            let step = template.steps[line.step]
            let others =
                step.dependencies.count > 1
                ? "  (after \(step.dependencies.map { template.steps[$0].name }.joined(separator: ", ")))" : ""
            let state = states.map { "\($0[line.step].symbol) " } ?? ""
            return "\(state)\(line.branch)\(step.name)\(others)"
        }.joined(separator: "\n")
    }

    private var mermaid: String {
        var lines = ["graph TD"]
        for (index, step) in template.steps.enumerated() {
            let state = states.map { "<br/>\($0[index].name)" } ?? ""
            lines.append("    s\(index)[\"\(step.name.replacing("\"", "#quot;"))\(state)\"]")
        }
        for (index, step) in template.steps.enumerated() {
            for dependency in step.dependencies { lines.append("    s\(dependency) --> s\(index)") }
        }
        return lines.joined(separator: "\n")
    }

    private var dot: String {
        var lines = ["digraph \"\(template.name.escapedForDot)\" {", "    node [shape=box];"]
        for (index, step) in template.steps.enumerated() {
            let state = states.map { "\\n\($0[index].name)" } ?? ""
            lines.append("    s\(index) [label=\"\(step.name.escapedForDot)\(state)\"];")
        }
        for (index, step) in template.steps.enumerated() {
            for dependency in step.dependencies { lines.append("    s\(dependency) -> s\(index);") }
        }
        return (lines + ["}"]).joined(separator: "\n")
    }
}

extension String {
    /// In DOT a backslash would take the quote after it, or its own letter, for something else.
    fileprivate var escapedForDot: String { replacing("\\", "\\\\").replacing("\"", "\\\"") }

    fileprivate func replacing(_ character: Character, _ replacement: String) -> String {
        split(separator: character, omittingEmptySubsequences: false).joined(separator: replacement)
    }
}
