import StepwellModel

/// Takes values out of JSON.
struct Redaction {
    static let mark = JSON.string("[redacted]")

    let pointers: [String]
    /// The pointers that have met a value.
    private(set) var found: Set<String> = []

    /// - Throws: ``BundleError/badPointer(_:)``
    init(_ pointers: [String]) throws(BundleError) {
        for pointer in pointers where !pointer.hasPrefix("/") { throw .badPointer(pointer) }
        self.pointers = pointers
    }

    /// The event without the values, or nil when it has none of them.
    mutating func redact(_ event: Event) -> Event? {
        switch event {
        case .taskSubmitted(var submission):
            guard let input = redact(submission.input) else { return nil }
            submission.input = input
            return .taskSubmitted(submission)
        case .attemptSucceeded(let attempt, let result, let metadata):
            let (newResult, newMetadata) = (redact(result), metadata.flatMap { redact($0) })
            guard newResult != nil || newMetadata != nil else { return nil }
            return .attemptSucceeded(attempt, result: newResult ?? result, metadata: newMetadata ?? metadata)
        case .attemptFailed(let attempt, var failure):
            guard let metadata = failure.metadata.flatMap({ redact($0) }) else { return nil }
            failure.metadata = metadata
            return .attemptFailed(attempt, failure)
        case .attemptCheckpointed(let attempt, let data):
            return redact(data).map { .attemptCheckpointed(attempt, data: $0) }
        case .resultAdopted(var adopted):
            guard let result = redact(adopted.result) else { return nil }
            adopted.result = result
            return .resultAdopted(adopted)
        case .operatorResolved(let step, let result, let reason):
            return result.flatMap { redact($0) }.map { .operatorResolved(step, result: $0, reason: reason) }
        default: return nil
        }
    }

    private mutating func redact(_ text: JSONText) -> JSONText? {
        var json = text.json
        var isChanged = false
        for pointer in pointers {
            let path = pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(Self.unescape)
            guard Self.replace(path[...], in: &json) else { continue }
            isChanged = true
            found.insert(pointer)
        }
        return isChanged ? JSONText(json) : nil
    }

    /// RFC 6901 section 3.
    private static func unescape(_ part: Substring) -> String {
        var text = ""
        var rest = part[...]
        while let letter = rest.popFirst() {
            if letter == "~", let next = rest.first, next == "0" || next == "1" {
                text.append(next == "0" ? "~" : "/")
                rest.removeFirst()
            } else {
                text.append(letter)
            }
        }
        return text
    }

    private static func replace(_ path: ArraySlice<String>, in json: inout JSON) -> Bool {
        guard let name = path.first else {
            json = mark
            return true
        }
        switch json {
        case .object(var members):
            var isChanged = false
            // A name may stand twice; none of its values may stay.
            for place in members.indices where members[place].name == name {
                if replace(path.dropFirst(), in: &members[place].value) { isChanged = true }
            }
            json = .object(members)
            return isChanged
        case .array(var elements):
            guard let place = Int(name), String(place) == name, elements.indices.contains(place),
                replace(path.dropFirst(), in: &elements[place])
            else { return false }
            json = .array(elements)
            return true
        default: return false
        }
    }
}
