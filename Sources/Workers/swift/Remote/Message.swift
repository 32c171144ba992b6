import StepwellModel

/// One message of the server, read member by member.
struct Message {
    private let bytes: [UInt8]
    private let members: [(name: String, value: Range<Int>)]

    /// - Parameter range: where in the bytes it stands; nil: it is all of them.
    init(_ bytes: [UInt8], in range: Range<Int>? = nil) throws(JSONError) {
        self.bytes = bytes
        members = try JSONParser.members(bytes, in: range)
    }

    subscript(name: String) -> JSONText? { range(name).map { JSONText(trusted: Array(bytes[$0])) } }

    func string(_ name: String) -> String? { value(name)?.string }
    func integer(_ name: String) -> Int64? { value(name)?.int }
    var lease: Lease? { integer("lease").flatMap { UInt64(exactly: $0) }.map { Lease($0) } }

    /// The messages that an answer holds.
    func list(_ name: String) throws(JSONError) -> [Message] {
        guard let list = range(name) else { return [] }
        var found: [Message] = []
        for range in try JSONParser.elements(bytes, in: list) { found.append(try Message(bytes, in: range)) }
        return found
    }

    private func range(_ name: String) -> Range<Int>? { members.last { $0.name == name }?.value }
    private func value(_ name: String) -> JSON? { range(name).flatMap { try? JSONParser.parse(bytes, in: $0) } }

    /// How deep a value of a handler may be nested; what is deeper the engine could not read in a message.
    static let levelsMax = 500

    /// Whether this JSON is nested deeper than that.
    static func isTooDeep(_ json: JSONText?) -> Bool {
        var level = 0
        var isText = false
        var isEscaped = false
        for byte in json?.bytes ?? [] {
            if isText {
                if isEscaped { isEscaped = false } else { (isText, isEscaped) = (byte != 0x22, byte == 0x5C) }
                continue
            }
            switch byte {
            case 0x22: isText = true
            case 0x5B, 0x7B: level += 1
            case 0x5D, 0x7D: level -= 1
            default: break
            }
            if level > levelsMax { return true }
        }
        return false
    }

    /// A message of the worker.
    static func encode(_ type: String, _ lease: Lease? = nil, _ add: (inout JSONWriter) -> Void = { _ in }) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("type", type)
        if let lease { json.member("lease", lease.rawValue) }
        add(&json)
        json.endObject()
        return json.bytes
    }

    static func failure(_ failure: Failure, _ lease: Lease) -> [UInt8] {
        encode("failure", lease) { json in
            json.member("message", failure.message)
            json.member("error_type", failure.errorType)
            if let code = failure.errorCode { json.member("error_code", code) }
            json.member("retryable", failure.retryable)
            if let wait = failure.retryAfter { json.member("retry_after_ms", wait.rawValue) }
            if let backtrace = failure.backtrace { json.member("backtrace", backtrace) }
            if let metadata = failure.metadata, !isTooDeep(metadata) { json.member("metadata", metadata) }
        }
    }
}
