import StepwellModel

/// Reads one step.
struct StepReader {
    /// A year: longer than any attempt, and far from what milliseconds can hold.
    static let timeoutRange = Milliseconds(1)...Milliseconds.seconds(31_536_000)

    private let fields: Fields
    private var findings: Findings { fields.findings }

    static func read(_ node: YAMLNode, _ findings: Findings) -> StepDraft? {
        Fields(node, .step, findings, name: "steps").map { StepReader(fields: $0).read() }
    }

    private func read() -> StepDraft {
        var step = StepDraft(place: fields.place)
        if let node = fields.required("name", "write 'name: some_step'") {
            step.place = node.place
            step.name = findings.text(node, "name").flatMap { name($0, at: node.place) }
        }
        step.description = fields.text("description")
        step.dependencies = dependencies
        step.retry = RetryReader.read("retry", of: fields) ?? RetryKeys()
        step.timeout = fields.seconds("timeout_seconds", in: Self.timeoutRange)
        step.resultSchema = SchemaReader.read("result_schema", of: fields, step.title)
        readHandler(&step)
        readDetails(&step)
        return step
    }

    private func name(_ name: String, at place: Place) -> String? {
        guard name != OverrideDraft.all else {
            findings.error(
                .badName, at: place, "a step cannot be named 'ALL'",
                cure: "'ALL' means every step in an environment's overrides")
            return nil
        }
        return findings.checked(name, of: "name", .step, at: place)
    }

    private var dependencies: [Reference] {
        (fields.elements("dependencies") ?? []).compactMap { node in
            findings.text(node, "dependencies").map { Reference(name: $0, place: node.place) }
        }
    }

    private func readHandler(_ step: inout StepDraft) {
        if fields.node("composition") != nil, fields.node("handler") == nil {
            // Never run: the task is refused for the composition.
            step.handler.target = .callable("composition", method: "call")
        } else if let node = fields.required("handler", of: step.title, "write 'handler: {callable: my_handler}'") {
            step.handler = HandlerReader.read(node, findings) ?? HandlerDraft()
            readResolver(node, &step)
        }
    }

    // MARK: What is kept

    private func readResolver(_ handler: YAMLNode, _ step: inout StepDraft) {
        guard case .mapping(let entries) = handler.content,
            let entry = entries.first(where: { $0.name == "resolver" }), !entry.value.isNull,
            let resolver = findings.text(entry.value, "resolver")
        else { return }
        step.details.append(JSON.Member("resolver", .string(resolver)))
        findings.notSupported("handler.resolver: \(resolver)", of: step.title, at: entry.place)
    }

    private func readDetails(_ step: inout StepDraft) {
        if let system = fields.text("system_dependency") {
            step.details.append(JSON.Member("system_dependency", .string(system)))
        }
        if let node = fields.node("type"), let type = findings.choice(node, "type", among: Self.types),
            type != "standard"
        {
            step.details.append(JSON.Member("type", .string(type)))
            findings.notSupported("type: \(type)", of: step.title, at: node.place)
        }
        for key in ["batch_config", "composition"] where fields.object(key) != nil {
            keepUnsupported(key, &step)
        }
        if let events = fields.elements("publishes_events"), !events.isEmpty {
            for event in events { _ = findings.entries(event, "publishes_events") }
            keepUnsupported("publishes_events", &step)
        }
    }

    private static let types = ["standard", "decision", "deferred_convergence", "batchable", "batch_worker"]

    private func keepUnsupported(_ key: String, _ step: inout StepDraft) {
        guard let entry = fields.entry(key) else { return }
        step.details.append(JSON.Member(key, findings.json(entry.value)))
        findings.notSupported(key, of: step.title, at: entry.place)
    }
}
