/// Gathers the keys and values of one mapping as they come, and closes it: duplicates are reported, merge keys resolved.
struct YAMLMapping {
    private enum Key {
        case name(String, Place, isMerge: Bool)
        /// A key that was reported; its value is dropped.
        case bad
    }

    private var key: Key?
    private var entries: [YAMLEntry] = []
    private var merges: [YAMLNode] = []
    private var mergePlace: Place?

    /// A key, then its value, then the next key.
    mutating func add(_ node: YAMLNode, _ findings: Findings) {
        switch key {
        case nil: key = Self.key(node, findings)
        case .bad: key = nil
        case .name(_, let place, isMerge: true):
            if let mergePlace { reportDuplicate("<<", place, mergePlace, findings) }
            mergePlace = mergePlace ?? place
            merges.append(node)
            key = nil
        case .name(let name, let place, isMerge: false):
            entries.append(YAMLEntry(name: name, place: place, value: node))
            key = nil
        }
    }

    /// The entries, each name once: the first of several; own ones before merged ones, and those in the order of `<<`.
    func close(_ findings: Findings) -> [YAMLEntry] {
        guard !merges.isEmpty || hasDuplicates else { return entries }
        var places: [String: Place] = [:]
        var result = entries.filter { entry in
            if let first = places[entry.name] {
                reportDuplicate(entry.name, entry.place, first, findings)
                return false
            }
            places[entry.name] = entry.place
            return true
        }
        for source in merges.flatMap({ sources($0, findings) }) where places[source.name] == nil {
            places[source.name] = source.place
            result.append(source)
        }
        return result
    }

    private var hasDuplicates: Bool {
        if entries.count > 16 { return Set(entries.lazy.map(\.name)).count < entries.count }
        return entries.indices.contains { index in entries[..<index].contains { $0.name == entries[index].name } }
    }

    /// What a value of `<<` brings in: a mapping, or several in a list, the first winning.
    private func sources(_ node: YAMLNode, _ findings: Findings) -> [YAMLEntry] {
        switch node.content {
        case .mapping(let entries): return entries
        case .sequence(let elements):
            return elements.flatMap { element in
                if case .mapping(let entries) = element.content { return entries }
                return sources(element, findings)
            }
        case .invalid: return []
        case .scalar:
            findings.error(
                .badMerge, at: node.place, "'<<' takes a mapping or a list of mappings, found \(node.found)",
                cure: "write '<<: *anchor'; a key that is really named '<<' is written in quotes")
            return []
        }
    }

    private static func key(_ node: YAMLNode, _ findings: Findings) -> Key {
        switch node.content {
        case .scalar(let text, let isPlain): return .name(text, node.place, isMerge: isPlain && text == "<<")
        case .invalid: return .bad
        case .sequence, .mapping:
            findings.error(
                .badKey, at: node.place, "a key must be a word, found \(node.found)",
                cure: "text that begins with '[' or '{' is written in quotes")
            return .bad
        }
    }

    private func reportDuplicate(_ name: String, _ place: Place, _ first: Place, _ findings: Findings) {
        findings.error(
            .duplicateKey, at: place, "the key '\(name)' is given twice, first at \(first.words)",
            cure: "remove one of them")
    }
}
