import StepwellEngine
import StepwellModel

// What routes read from a request, each with an error that names the place.

extension Call {
    /// Refuses a token for single namespaces where what is asked for belongs to all of them.
    func needAllNamespaces(_ subject: String) throws(Problem) {
        guard case .all = identity.namespaces else {
            throw Problem(403, "not_allowed", "the token is for single namespaces; \(subject) of all")
        }
    }

    /// Refuses a parameter that nobody reads: most likely its name is mistyped.
    func allowOnly(_ names: String...) throws(Problem) {
        for (name, _) in request.query where !names.contains(name) {
            throw .malformed(
                "there is no parameter '\(name)' here",
                cure: names.isEmpty ? "leave it out" : "those are: " + names.joined(separator: ", "))
        }
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let text = request.queried(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw .malformed(
                "'\(name)' must be a whole number from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
        }
        return number
    }

    func flag(_ name: String) throws(Problem) -> Bool {
        switch request.queried(name) {
        case nil, "false": return false
        case "true": return true
        case let text?: throw .malformed("'\(name)' must be true or false, not '\(text)'")
        }
    }

    /// A length of time: `30s`, `500ms`, `2m`, or a number of seconds.
    func duration(_ name: String, max: Milliseconds) throws(Problem) -> Milliseconds? {
        guard let text = request.queried(name) else { return nil }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let factor: Int64? =
            switch text.dropFirst(digits.count) {
            case "ms": 1
            case "s", "": 1000
            case "m": 60_000
            default: nil
            }
        guard let factor, let number = Int64(digits), number <= max.rawValue / factor else {
            throw .malformed("'\(name)' must be a time up to \(max), such as 30s or 500ms, not '\(text)'")
        }
        return Milliseconds(number * factor)
    }

    func state() throws(Problem) -> TaskState? {
        guard let word = request.queried("state") else { return nil }
        guard let state = TaskState(name: word) else {
            throw .malformed(
                "'\(word)' is no state of a task",
                cure: "those are: " + TaskState.allCases.map(\.name).joined(separator: ", "))
        }
        return state
    }

    /// The members of a JSON object in the body; no body is an empty object.
    func members(only names: [String]) throws(Problem) -> MessageReader {
        do throws(Malformed) {
            let reader = try MessageReader(request.body.isEmpty ? Array("{}".utf8) : request.body)
            try reader.allowOnly(names)
            return reader
        } catch { throw .malformed("the body: \(error.reason)") }
    }
}

/// The same for what is read from the members.
func reading<Value>(_ body: () throws(Malformed) -> Value) throws(Problem) -> Value {
    do throws(Malformed) { return try body() } catch { throw .malformed("the body: \(error.reason)") }
}
