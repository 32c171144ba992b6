import StepwellModel

/// A mapping of the document, read by the table of its keys. Each question names a key, reports what is wrong with its value
/// and gives nil for a value that is absent, null or wrong.
struct Fields {
    let place: Place
    let table: KeyTable
    let findings: Findings
    private let entries: [YAMLEntry]

    /// Checks the keys. Nil when the node is no mapping.
    init?(_ node: YAMLNode, _ table: KeyTable, _ findings: Findings, name: String) {
        guard let entries = findings.entries(node, name) else { return nil }
        place = node.place
        self.table = table
        self.findings = findings
        self.entries = entries
        for entry in entries where !table.knows(entry.name) { reportUnknown(entry) }
        for alias in table.aliases { reportConflict(alias) }
    }

    /// Whether the key is written, be its value null.
    func has(_ key: String) -> Bool { entry(key) != nil }

    /// The entry of the key or its alias.
    func entry(_ key: String) -> YAMLEntry? {
        if let entry = entries.first(where: { $0.name == key }) { return entry }
        guard let alias = table.aliases.first(where: { $0.key == key }) else { return nil }
        return entries.first { $0.name == alias.name }
    }

    /// The value, unless it is null.
    func node(_ key: String) -> YAMLNode? {
        entry(key).flatMap { $0.value.isNull ? nil : $0.value }
    }

    /// The value of a key that must be there.
    func required(_ key: String, of owner: String? = nil, _ cure: String) -> YAMLNode? {
        if let node = node(key) { return node }
        findings.error(
            .missingKey, at: entry(key)?.place ?? place, "'\(key)' of \(owner ?? table.owner) is missing", cure: cure)
        return nil
    }

    // MARK: Values

    func text(_ key: String) -> String? {
        node(key).flatMap { findings.text($0, key) }
    }

    func boolean(_ key: String) -> Bool? {
        node(key).flatMap { findings.boolean($0, key) }
    }

    func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        node(key).flatMap { findings.integer($0, key, in: range) }
    }

    /// A length of time that is written in seconds, with a fraction if need be.
    func seconds(_ key: String, in range: ClosedRange<Milliseconds>) -> Milliseconds? {
        node(key).flatMap { findings.seconds($0, key, in: range) }
    }

    func elements(_ key: String) -> [YAMLNode]? {
        node(key).flatMap { findings.elements($0, key) }
    }

    func fields(_ key: String, _ table: KeyTable) -> Fields? {
        node(key).flatMap { Fields($0, table, findings, name: key) }
    }

    /// The value as JSON; it must be a mapping.
    func object(_ key: String) -> [JSON.Member]? {
        guard let node = node(key), findings.entries(node, key) != nil else { return nil }
        return findings.json(node).members
    }

    // MARK: Keys

    private func reportUnknown(_ entry: YAMLEntry) {
        if let cure = table.ignored[entry.name] {
            return findings.warn(
                .ignoredKey, at: entry.place, "'\(entry.name)' on \(table.owner) has no effect", cure: cure)
        }
        let cure =
            KeyTable.home(of: entry.name, outside: table).map { "'\(entry.name)' belongs \($0)" }
            ?? findings.suggestion(for: entry.name, among: table.names)
            ?? "\(table.owner) knows: \(table.known.joined(separator: ", "))"
        findings.error(.unknownKey, at: entry.place, "unknown key '\(entry.name)' on \(table.owner)", cure: cure)
    }

    private func reportConflict(_ alias: KeyTable.Alias) {
        guard let second = entries.first(where: { $0.name == alias.name }),
            let first = entries.first(where: { $0.name == alias.key })
        else { return }
        findings.error(
            .conflictingKeys, at: max(first.place, second.place),
            "'\(alias.key)' and '\(alias.name)' mean the same, and both are given", cure: "write '\(alias.key)' alone")
    }
}
