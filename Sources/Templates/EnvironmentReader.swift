import StepwellModel

/// Reads `environments`: what changes in a step, or in all, where the template runs.
struct EnvironmentReader {
    private let findings: Findings

    static func read(_ key: String, of fields: Fields) -> [EnvironmentDraft] {
        guard let node = fields.node(key), let entries = fields.findings.entries(node, key) else { return [] }
        let reader = EnvironmentReader(findings: fields.findings)
        return entries.map { reader.environment($0) }
    }

    private func environment(_ entry: YAMLEntry) -> EnvironmentDraft {
        var environment = EnvironmentDraft(name: entry.name, place: entry.place)
        if !entry.value.isNull, let fields = Fields(entry.value, .environment, findings, name: entry.name) {
            environment.overrides = (fields.elements("steps") ?? []).compactMap { override($0) }
        }
        reportDuplicates(environment)
        return environment
    }

    private func override(_ node: YAMLNode) -> OverrideDraft? {
        guard let fields = Fields(node, .override, findings, name: "steps") else { return nil }
        let handler = fields.fields("handler", .overrideHandler)
        let initialization = handler?.object("initialization") ?? []
        findings.checkSecrets(initialization, at: handler?.node("initialization")?.place)
        let timeout = fields.seconds("timeout_seconds", in: StepReader.timeoutRange)
        let retry = RetryReader.read("retry", of: fields) ?? RetryKeys()
        guard let name = fields.required("name", "name a step, or 'ALL' for every step"),
            let text = findings.text(name, "name")
        else { return nil }
        return OverrideDraft(
            target: Reference(name: text, place: name.place), initialization: initialization, timeout: timeout,
            retry: retry)
    }

    private func reportDuplicates(_ environment: EnvironmentDraft) {
        var places: [String: Place] = [:]
        for target in environment.overrides.map(\.target) {
            if let first = places[target.name] {
                findings.error(
                    .duplicateOverride, at: target.place,
                    "environment '\(environment.name)' overrides '\(target.name)' twice, first at \(first.words)",
                    cure: "put both into one")
            } else {
                places[target.name] = target.place
            }
        }
    }
}

extension EnvironmentDraft {
    /// What the overrides may add to the configurations of all steps together, in bytes.
    static let expansionMax = YAMLReader.expansionMax

    /// Applies the overrides: those for all steps first, then each step's own.
    func apply(to steps: inout [StepDraft], _ findings: Findings) {
        let all = overrides.first { $0.target.name == OverrideDraft.all }
        let own = Dictionary(overrides.map { ($0.target.name, $0) }, uniquingKeysWith: { first, _ in first })
        var expansion = 0
        for index in steps.indices {
            for override in [all, steps[index].name.flatMap { own[$0] }].compactMap(\.self) {
                if !override.initialization.isEmpty {
                    expansion += JSON.object(override.initialization).encoded.count
                    guard expansion <= Self.expansionMax else { return reportExpansion(findings) }
                }
                steps[index].apply(override)
            }
        }
    }

    private func reportExpansion(_ findings: Findings) {
        findings.error(
            .expandsTooFar, at: place,
            "the overrides of environment '\(name)' expand to more than \(Self.expansionMax >> 20) MiB",
            cure: "override fewer steps, or with less")
    }
}

extension StepDraft {
    fileprivate mutating func apply(_ override: OverrideDraft) {
        retry = retry.overridden(by: override.retry)
        timeout = override.timeout ?? timeout
        handler.initialization.merge(override.initialization)
    }
}

extension [JSON.Member] {
    /// Replaces the members of the same name, and adds the others at the end.
    fileprivate mutating func merge(_ others: [JSON.Member]) {
        guard !others.isEmpty else { return }
        var places = Dictionary(enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        for other in others {
            if let place = places[other.name] {
                self[place] = other
            } else {
                places[other.name] = count
                append(other)
            }
        }
    }
}
