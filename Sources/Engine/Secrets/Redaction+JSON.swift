package import StepwellModel

extension Redaction {
    /// The value without secrets: still JSON, and byte for byte what it was when there were none.
    package func json(_ text: JSONText) -> JSONText {
        guard !isEmpty, mayHide(in: text.bytes) else { return text }
        let json = text.json
        let changed = hidden(json)
        let encoded = changed == json ? text.bytes : changed.encoded
        // What still shows lies across several values, and cannot be told from what is around it.
        if let name = isFound(in: encoded) { return JSONText(.string(Self.mark(name))) }
        return JSONText(trusted: encoded)
    }

    /// The object without secrets; one that cannot be freed of them is left out.
    func object(_ text: JSONText?) -> JSONText? {
        text.map(json).flatMap { $0.bytes.first == UInt8(ascii: "{") ? $0 : nil }
    }

    /// A text without escapes that holds no form of a secret need not be parsed.
    private func mayHide(in bytes: [UInt8]) -> Bool {
        !structures.isEmpty || bytes.contains(UInt8(ascii: "\\")) || isFound(in: bytes) != nil
    }

    private func hidden(_ json: JSON) -> JSON {
        if let structure = structures.first(where: { $0.json == json }) { return .string(Self.mark(structure.name)) }
        switch json {
        case .null, .bool: return json
        case .number(let number):
            // A number with a mark in it is none.
            return isFound(in: Array(number.utf8)) == nil ? json : .string(text(number))
        case .string(let value): return .string(text(value))
        case .array(let elements): return .array(elements.map(hidden))
        case .object(let members): return .object(members.map { JSON.Member(text($0.name), hidden($0.value)) })
        }
    }

    // MARK: What an attempt reports

    package func failure(_ failure: Failure) -> Failure {
        guard !isEmpty else { return failure }
        var result = failure
        result.message = text(failure.message)
        result.errorType = text(failure.errorType)
        result.errorCode = failure.errorCode.map(text)
        result.backtrace = failure.backtrace.map(text)
        result.metadata = object(failure.metadata)
        return result
    }

    package func outcome(_ outcome: AttemptOutcome) -> AttemptOutcome {
        guard !isEmpty else { return outcome }
        switch outcome {
        case .succeeded(let result, let metadata): return .succeeded(json(result), metadata: object(metadata))
        case .failed(let failure): return .failed(self.failure(failure))
        case .stopped: return .stopped
        }
    }
}
