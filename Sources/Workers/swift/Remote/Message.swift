import StepwellModel

/// One message of the server, read member by member.
struct Message {
    private let bytes: [UInt8]
    private let members: [(name: String, value: Range<Int>)]

    init(_ bytes: [UInt8]) throws(JSONError) {
        self.bytes = bytes
        members = try JSONParser.members(bytes)
    }

    subscript(name: String) -> JSONText? {
        members.last { $0.name == name }.map { JSONText(trusted: Array(bytes[$0.value])) }
    }

    func string(_ name: String) -> String? { self[name]?.json.string }
    func integer(_ name: String) -> Int64? { self[name]?.json.int }
    var lease: Lease? { integer("lease").flatMap { UInt64(exactly: $0) }.map { Lease($0) } }

    /// The messages that an answer holds.
    func list(_ name: String) throws(JSONError) -> [Message] {
        guard let list = self[name]?.bytes else { return [] }
        var found: [Message] = []
        for range in try JSONParser.elements(list) { found.append(try Message(Array(list[range]))) }
        return found
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
            if let metadata = failure.metadata { json.member("metadata", metadata) }
        }
    }
}
