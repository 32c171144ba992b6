import StepwellModel

/// Reads the template from the root of its document.
struct TemplateReader {
    private let fields: Fields
    private var findings: Findings { fields.findings }

    /// The template, whole even where faults were found in it: the findings decide whether it is one.
    static func read(_ root: YAMLNode, environment: String?, _ findings: Findings) -> Template? {
        guard case .mapping = root.content else {
            findings.error(
                .wrongType, at: root.place, "a template is a mapping of 'key: value', found \(root.found)",
                cure: "begin with 'name: my_workflow'")
            return nil
        }
        return Fields(root, .task, findings, name: "template").flatMap {
            TemplateReader(fields: $0).read(environment: environment)
        }
    }

    private func read(environment: String?) -> Template? {
        let name = checkedName("name", .name, "write 'name: my_workflow'")
        let namespace = checkedName("namespace_name", .namespace, "write 'namespace_name: my_team'")
        let version = version
        let description = fields.text("description")
        let inputSchema = SchemaReader.read("input_schema", of: fields)
        let priority = fields.integer("priority", in: -100...100) ?? 0
        let details = details
        let environments = EnvironmentReader.read("environments", of: fields)

        var steps = steps
        let graph = StepGraph(steps, findings)
        let dependencies = graph.dependencies()
        graph.check(environments)
        if let environment { apply(environment, environments, to: &steps) }

        let templates = zip(steps, dependencies).compactMap { template($0, $1) }
        guard let name, let namespace, let version, templates.count == steps.count else { return nil }
        return Template(
            namespace: namespace, name: name, version: version, description: description, steps: templates,
            details: details, inputSchema: inputSchema, environment: environment, priority: priority,
            unsupported: findings.unsupportedFeatures)
    }

    // MARK: Keys of the task

    private func checkedName(_ key: String, _ rule: NameRule, _ cure: String) -> String? {
        guard let node = fields.required(key, cure), let text = findings.text(node, key) else { return nil }
        return findings.checked(text, of: key, rule, at: node.place)
    }

    /// A version may look like a number: its text is kept as it was written.
    private var version: String? {
        guard let node = fields.required("version", "write 'version: 1.0.0'"),
            let text = findings.textAsWritten(node, "version")
        else { return nil }
        return findings.checked(text, of: "version", .version, at: node.place)
    }

    private var steps: [StepDraft] {
        guard fields.has("steps") else {
            findings.error(
                .missingKey, at: fields.place, "'steps' of the template is missing",
                cure: "write 'steps:' and below it '- name: …' for each step")
            return []
        }
        let nodes = fields.elements("steps")
        if nodes?.isEmpty ?? (fields.node("steps") == nil), let place = fields.entry("steps")?.place {
            findings.error(.noSteps, at: place, "the template has no steps", cure: "write '- name: …' for each step")
        }
        return (nodes ?? []).compactMap { StepReader.read($0, findings) }
    }

    /// Keys that describe, as one object in the order of the table.
    private var details: JSONText {
        var members: [JSON.Member] = []
        func keep(_ key: String, _ value: JSON?) {
            if let value { members.append(JSON.Member(key, value)) }
        }
        keep("metadata", fields.object("metadata").map { .object($0) })
        keep("tags", texts("tags").map { .array($0.map { .string($0) }) })
        keep("system_dependencies", fields.object("system_dependencies").map { .object($0) })
        if let events = fields.elements("domain_events"), !events.isEmpty {
            for event in events { _ = findings.entries(event, "domain_events") }
            keep("domain_events", .array(events.map { findings.json($0) }))
        }
        if let lifecycle = fields.object("lifecycle"), !lifecycle.isEmpty, let entry = fields.entry("lifecycle") {
            keep("lifecycle", .object(lifecycle))
            findings.notSupported("lifecycle", at: entry.place)
        }
        return members.isEmpty ? .emptyObject : JSONText(.object(members))
    }

    private func texts(_ key: String) -> [String]? {
        fields.elements(key)?.compactMap { findings.text($0, key) }
    }

    // MARK: Steps

    private func apply(_ name: String, _ environments: [EnvironmentDraft], to steps: inout [StepDraft]) {
        if let environment = environments.first(where: { $0.name == name }) {
            return environment.apply(to: &steps, findings)
        }
        let names = environments.map(\.name)
        findings.error(
            .unknownEnvironment, at: fields.entry("environments")?.place ?? fields.place,
            "there is no environment '\(name)'",
            cure: names.isEmpty ? "the template has none" : "there are: \(names.joined(separator: ", "))")
    }

    private func template(_ step: StepDraft, _ dependencies: [StepIndex]) -> StepTemplate? {
        let policy = step.retry.policy
        if policy.backoff != .none, policy.initialDelay > policy.maximumDelay {
            findings.warn(
                .cappedDelay, at: step.retry.place ?? step.place,
                "the first delay of \(policy.initialDelay) is longer than the longest of \(policy.maximumDelay), which caps it",
                cure: "raise 'max_delay' (seconds) or 'max_backoff_ms'")
        }
        guard let name = step.name, let target = step.handler.target else { return nil }
        let handler = HandlerTemplate(
            target: target, configuration: text(step.handler.initialization), environment: step.handler.environment,
            workingDirectory: step.handler.workingDirectory)
        return StepTemplate(
            name: name, description: step.description, handler: handler, dependencies: dependencies, retry: policy,
            timeout: step.timeout, resultSchema: step.resultSchema, details: text(step.details))
    }

    private func text(_ members: [JSON.Member]) -> JSONText {
        members.isEmpty ? .emptyObject : JSONText(.object(members))
    }
}
