import StepwellModel

/// Whether a line tells in JSON what its CBOR says, which alone is hashed. A later version may tell of members that this one does
/// not know, and an earlier one may not tell all; but what both know must agree, or readers without CBOR believe something else.
enum ToldAlike {
    /// Members whose values are somebody's own: nothing in them may differ.
    private static let verbatim: [String] = [
        "input", "result", "checkpoint", "metadata", "configuration", "environment", "details", "input_schema",
        "result_schema",
    ]

    /// Where the two differ first, such as `data/result`; nil when they agree.
    static func difference(_ told: JSON, _ known: JSON) -> String? {
        switch (told, known) {
        case (.object(let members), .object(let knownMembers)):
            var names: Set<String> = []
            for member in members {
                // Of a name that stands twice, each reader would take another.
                guard names.insert(member.name).inserted else { return member.name }
                guard let value = knownMembers.first(where: { $0.name == member.name })?.value else { continue }
                if verbatim.contains(member.name) {
                    if member.value != value { return member.name }
                } else if let place = difference(member.value, value) {
                    return place.isEmpty ? member.name : "\(member.name)/\(place)"
                }
            }
            return nil
        case (.array(let elements), .array(let knownElements)):
            guard elements.count == knownElements.count else { return "" }
            for (place, pair) in zip(elements, knownElements).enumerated() {
                if let below = difference(pair.0, pair.1) { return below.isEmpty ? "\(place)" : "\(place)/\(below)" }
            }
            return nil
        default: return told == known ? nil : ""
        }
    }
}
