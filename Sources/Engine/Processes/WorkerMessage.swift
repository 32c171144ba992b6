import StepwellModel

/// What a worker may say: one line of `docs/worker-protocol.md`.
enum WorkerMessage {
    case hello(Hello)
    /// A worker of another version of the protocol; nothing else of its hello is known.
    case otherProtocol(Int64)
    case result(Lease, JSONText, metadata: JSONText?)
    case failure(Lease, Failure)
    case stopped(Lease)
    case heartbeat(Lease, progress: JSONText?)
    case checkpoint(Lease, JSONText)
    /// Without a lease the line is for the operator.
    case log(Lease?, LogLine.Level, String)
    case fetch(Lease, id: Int64, step: String)
    case drained

    struct Hello {
        var handlers: [HandlerVersion]
        var concurrency: Int
        var sdk: String?
    }

    static let protocolVersion: Int64 = 1
    private static let concurrencyMax = 1000
    private static let defaultVersion = "1.0.0"

    /// - Parameter range: where in the line the message stands; nil: it is all of it.
    init(_ line: [UInt8], in range: Range<Int>? = nil) throws(Malformed) {
        let reader = try MessageReader(line, in: range)
        switch try reader.string("type") {
        case "hello":
            let version = try reader.integer("protocol")
            self = version == Self.protocolVersion ? .hello(try Hello(reader, line)) : .otherProtocol(version)
        case "result":
            self = .result(
                try reader.lease(), try reader.json("result"), metadata: try reader.optionalObject("metadata"))
        case "failure": self = .failure(try reader.lease(), try reader.failure())
        case "stopped": self = .stopped(try reader.lease())
        case "heartbeat": self = .heartbeat(try reader.lease(), progress: try reader.optionalJSON("progress"))
        case "checkpoint": self = .checkpoint(try reader.lease(), try reader.json("data"))
        case "log":
            let lease = reader.has("lease") ? try reader.lease() : nil
            let name = try reader.optionalString("level") ?? "info"
            guard let level = LogLine.Level(name: name) else {
                throw Malformed("'level' must be debug, info, warning or error, not '\(name)'")
            }
            self = .log(lease, level, try reader.string("text"))
        case "fetch":
            self = .fetch(try reader.lease(), id: try reader.integer("id"), step: try reader.string("step"))
        case "drained": self = .drained
        case let other: throw Malformed("the message type '\(other)' is unknown")
        }
    }
}

extension WorkerMessage.Hello {
    fileprivate init(_ reader: MessageReader, _ line: [UInt8]) throws(Malformed) {
        guard let range = reader.range("handlers") else { throw Malformed("'handlers' is missing") }
        let list = (try? JSONParser.parse(line, in: range))?.array
        guard let list, !list.isEmpty else {
            throw Malformed("'handlers' must be an array with at least one handler")
        }
        handlers = []
        for entry in list {
            guard let name = entry["name"]?.string else {
                throw Malformed("'handlers' must hold objects with a 'name' that is a string")
            }
            let version = entry["version"] ?? .null
            guard version.isNull || version.string != nil else {
                throw Malformed("the 'version' of the handler '\(name)' must be a string")
            }
            handlers.append(HandlerVersion(name: name, version: version.string ?? WorkerMessage.defaultVersion))
        }
        let slots = try reader.optionalInteger("concurrency") ?? 1
        guard 1...Int64(WorkerMessage.concurrencyMax) ~= slots else {
            throw Malformed("'concurrency' must be 1 to \(WorkerMessage.concurrencyMax)")
        }
        concurrency = Int(slots)
        sdk = try reader.optionalString("sdk")
    }
}
