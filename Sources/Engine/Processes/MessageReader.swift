package import StepwellModel

/// Why a line of a worker is no message of the protocol.
package struct Malformed: Error, Hashable, CustomStringConvertible {
    package var reason: String

    package init(_ reason: String) {
        self.reason = reason
    }

    package var description: String { reason }
}

/// The members of one JSON object, each checked as it is asked for. An optional member that is `null` counts as absent.
package struct MessageReader {
    private let bytes: [UInt8]
    private let members: [(name: String, value: Range<Int>)]

    /// - Parameter range: where in the bytes the object stands; nil: it is all of them.
    package init(_ bytes: [UInt8], in range: Range<Int>? = nil) throws(Malformed) {
        self.bytes = bytes
        do throws(JSONError) {
            members = try JSONParser.members(bytes, in: range)
        } catch {
            throw Malformed("\(error)")
        }
    }

    /// Where the value stands; with a name given twice, the last.
    package func range(_ name: String) -> Range<Int>? {
        members.last { $0.name == name }?.value
    }

    package func has(_ name: String) -> Bool { present(name) != nil }

    // MARK: Required

    package func string(_ name: String) throws(Malformed) -> String {
        guard let range = range(name) else { throw Malformed("'\(name)' is missing") }
        guard let text = text(range) else { throw wrong(name, "a string") }
        return text
    }

    package func integer(_ name: String) throws(Malformed) -> Int64 {
        guard let range = range(name) else { throw Malformed("'\(name)' is missing") }
        guard let number = number(range) else { throw wrong(name, "a whole number") }
        return number
    }

    package func lease() throws(Malformed) -> Lease {
        let number = try integer("lease")
        guard number > 0 else { throw wrong("lease", "a whole number above 0") }
        return Lease(UInt64(number))
    }

    /// Any JSON, byte for byte.
    package func json(_ name: String) throws(Malformed) -> JSONText {
        guard let range = range(name) else { throw Malformed("'\(name)' is missing") }
        return JSONText(trusted: Array(bytes[range]))
    }

    // MARK: Optional

    package func optionalString(_ name: String) throws(Malformed) -> String? {
        has(name) ? try string(name) : nil
    }

    package func optionalInteger(_ name: String) throws(Malformed) -> Int64? {
        has(name) ? try integer(name) : nil
    }

    package func optionalBool(_ name: String) throws(Malformed) -> Bool? {
        guard let range = present(name) else { return nil }
        switch bytes[range.lowerBound] {
        case UInt8(ascii: "t"): return true
        case UInt8(ascii: "f"): return false
        default: throw wrong(name, "true or false")
        }
    }

    package func optionalJSON(_ name: String) throws(Malformed) -> JSONText? {
        has(name) ? try json(name) : nil
    }

    package func optionalObject(_ name: String) throws(Malformed) -> JSONText? {
        guard let range = present(name) else { return nil }
        guard bytes[range.lowerBound] == UInt8(ascii: "{") else { throw wrong(name, "an object") }
        return JSONText(trusted: Array(bytes[range]))
    }

    /// Where the elements of an array stand; none when it is absent.
    package func elements(_ name: String) throws(Malformed) -> [Range<Int>] {
        guard let range = present(name) else { return [] }
        guard bytes[range.lowerBound] == UInt8(ascii: "[") else { throw wrong(name, "an array") }
        do throws(JSONError) {
            return try JSONParser.elements(bytes, in: range)
        } catch { throw Malformed("\(error)") }
    }

    package func optionalStrings(_ name: String) throws(Malformed) -> [String] {
        guard let range = present(name) else { return [] }
        let strings = (try? JSONParser.parse(bytes, in: range))?.array?.map(\.string)
        guard let strings, !strings.contains(nil) else { throw wrong(name, "an array of strings") }
        return strings.compactMap(\.self)
    }

    /// Refuses a member that nobody reads: most likely its name is mistyped.
    package func allowOnly(_ names: [String]) throws(Malformed) {
        for member in members where !names.contains(member.name) {
            throw Malformed("there is no member '\(member.name)' here; those are \(names.joined(separator: ", "))")
        }
    }

    // MARK: Composed

    /// A failure as a worker or a command reports it.
    package func failure() throws(Malformed) -> Failure {
        let wait = try optionalInteger("retry_after_ms")
        if let wait, wait < 0 { throw wrong("retry_after_ms", "0 or more") }
        return Failure(
            message: try string("message"), errorType: try optionalString("error_type") ?? "handler_error",
            errorCode: try optionalString("error_code"), retryable: try optionalBool("retryable") ?? true,
            retryAfter: wait.map { Milliseconds($0) }, backtrace: try optionalString("backtrace"),
            metadata: try optionalObject("metadata"))
    }

    // MARK: Values

    private func present(_ name: String) -> Range<Int>? {
        guard let range = range(name), bytes[range.lowerBound] != UInt8(ascii: "n") else { return nil }
        return range
    }

    private func text(_ range: Range<Int>) -> String? {
        guard bytes[range.lowerBound] == UInt8(ascii: "\"") else { return nil }
        let inner = bytes[range.lowerBound + 1..<range.upperBound - 1]
        // Nearly all have no escape; what they hold was checked with the line.
        guard inner.contains(UInt8(ascii: "\\")) else { return String(decoding: inner, as: UTF8.self) }
        return (try? JSONParser.parse(bytes, in: range))?.string
    }

    private func number(_ range: Range<Int>) -> Int64? {
        JSON.number(String(decoding: bytes[range], as: UTF8.self)).int
    }

    private func wrong(_ name: String, _ expected: String) -> Malformed {
        Malformed("'\(name)' must be \(expected)")
    }
}
