import StepwellModel

/// A file of settings: one YAML mapping of names that are known to values of the right kind. Whatever else is in it is an error with
/// its place.
package enum SettingsFile {
    package enum Kind: Sendable {
        case flag
        case integer(ClosedRange<Int>)
        case text
        /// One text, or a list of them.
        case texts
        case choice([String])
        /// A text of a form.
        case form(String, @Sendable (String) -> Bool)
    }

    package struct Name: Sendable {
        package var name: String
        package var kind: Kind

        package init(_ name: String, _ kind: Kind) {
            self.name = name
            self.kind = kind
        }
    }

    /// What the file says.
    package struct Setting: Hashable, Sendable {
        package var name: String
        /// As a command line would have it; of a flag `true` or `false`.
        package var values: [String]
        package var line: Int
    }

    /// - Throws: ``InvalidSettings`` with all that is wrong.
    package static func read(
        _ bytes: [UInt8], file: String, names: [Name]
    ) throws(InvalidSettings) -> [Setting] {
        let findings = Findings(file: file)
        var settings: [Setting] = []
        do throws(YAMLFault) {
            let root = try YAMLReader.read(try TemplateLoader.checked(bytes), findings)
            for entry in findings.entries(root, "the settings") ?? [] {
                settings += setting(entry, names, findings)
            }
        } catch {
            // Nothing is said, so nothing is wrong.
            if error.code == .emptyDocument { return [] }
            findings.error(error.code, at: error.place, error.message)
        }
        guard !findings.hasErrors else { throw InvalidSettings(diagnostics: findings.sorted) }
        return settings
    }

    private static func setting(_ entry: YAMLEntry, _ names: [Name], _ findings: Findings) -> [Setting] {
        guard let known = names.first(where: { $0.name == entry.name }) else {
            let all = names.map(\.name)
            findings.error(
                .unknownKey, at: entry.place, "there is no setting '\(entry.name)'",
                cure: findings.suggestion(for: entry.name, among: all) ?? "there are: " + all.joined(separator: ", "))
            return []
        }
        guard let values = values(entry.value, known, findings) else { return [] }
        return [Setting(name: known.name, values: values, line: entry.place.line)]
    }

    private static func values(_ node: YAMLNode, _ known: Name, _ findings: Findings) -> [String]? {
        switch known.kind {
        case .flag: return findings.boolean(node, known.name).map { ["\($0)"] }
        case .integer(let range): return findings.integer(node, known.name, in: range).map { ["\($0)"] }
        case .text: return findings.text(node, known.name).map { [$0] }
        case .choice(let words): return findings.choice(node, known.name, among: words).map { [$0] }
        case .texts:
            guard case .sequence(let elements) = node.content else {
                return findings.text(node, known.name).map { [$0] }
            }
            let texts = elements.compactMap { findings.text($0, known.name) }
            return texts.count == elements.count ? texts : nil
        case .form(let form, let fits):
            guard let text = findings.text(node, known.name) else { return nil }
            guard fits(text) else {
                findings.wrong(node, known.name, form)
                return nil
            }
            return [text]
        }
    }
}

/// A file of settings that cannot be used.
package struct InvalidSettings: StepwellError, Hashable {
    package let diagnostics: [Diagnostic]

    package var code: String { "invalid_settings" }
    package var message: String { diagnostics.map(\.description).joined(separator: "\n") }
    package var cure: String? { nil }
}
