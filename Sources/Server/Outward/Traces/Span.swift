import StepwellModel

/// One span as OTLP's JSON has it.
struct Span: Sendable {
    enum Kind: Int, Sendable {
        case `internal` = 1
        case server = 2
    }

    enum Value: Hashable, Sendable {
        case text(String)
        case integer(Int64)
        case texts([String])
    }

    enum Status: Hashable, Sendable {
        case unset
        case ok
        case error(String)
    }

    struct Link: Hashable, Sendable {
        var to: TraceContext
        /// Why, such as `retry`.
        var reason: String
    }

    var context: TraceContext
    /// The span above it.
    var parent: UInt64?
    var name: String
    var kind: Kind
    var start: Timestamp
    var end: Timestamp
    var attributes: [(name: String, value: Value)] = []
    var status = Status.unset
    var links: [Link] = []

    mutating func set(_ name: String, _ value: String?) {
        if let value { attributes.append((name, .text(value))) }
    }

    mutating func set(_ name: String, _ value: some BinaryInteger) {
        attributes.append((name, .integer(Int64(value))))
    }
}

/// Spans as the body of a request to a collector.
enum TraceJSON {
    static func body(_ spans: some Sequence<Span>, resource: [(name: String, value: Span.Value)]) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.name("resourceSpans")
        json.beginArray()
        json.beginObject()
        json.name("resource")
        json.beginObject()
        json.attributes(resource)
        json.endObject()
        json.name("scopeSpans")
        json.beginArray()
        json.beginObject()
        json.member("scope", ["name": "stepwell"])
        json.name("spans")
        json.beginArray()
        for span in spans { json.span(span) }
        json.endArray()
        json.endObject()
        json.endArray()
        json.endObject()
        json.endArray()
        json.endObject()
        return json.bytes
    }
}

extension JSONWriter {
    fileprivate mutating func span(_ span: Span) {
        beginObject()
        place(span.context)
        if let parent = span.parent {
            member("parentSpanId", TraceContext(high: 0, low: 0, span: parent).spanID)
        }
        member("flags", span.context.isSampled ? 1 : 0)
        member("name", span.name)
        member("kind", span.kind.rawValue)
        member("startTimeUnixNano", Self.nanoseconds(span.start))
        member("endTimeUnixNano", Self.nanoseconds(max(span.start, span.end)))
        attributes(span.attributes)
        if !span.links.isEmpty {
            name("links")
            beginArray()
            for link in span.links {
                beginObject()
                place(link.to)
                attributes([("stepwell.link", .text(link.reason))])
                endObject()
            }
            endArray()
        }
        switch span.status {
        case .unset: break
        case .ok: member("status", ["code": 1])
        case .error(let message): member("status", ["code": 2, "message": .string(message)])
        }
        endObject()
    }

    private mutating func place(_ context: TraceContext) {
        member("traceId", context.traceID)
        member("spanId", context.spanID)
    }

    /// 64 bits are texts in OTLP's JSON.
    private static func nanoseconds(_ time: Timestamp) -> String { "\(max(0, time.milliseconds))000000" }

    fileprivate mutating func attributes(_ attributes: [(name: String, value: Span.Value)]) {
        name("attributes")
        beginArray()
        for attribute in attributes {
            let value: JSON =
                switch attribute.value {
                case .text(let text): ["stringValue": .string(text)]
                case .integer(let number): ["intValue": .string(String(number))]
                case .texts(let texts):
                    ["arrayValue": ["values": .array(texts.map { ["stringValue": .string($0)] })]]
                }
            beginObject()
            member("key", attribute.name)
            member("value", value)
            endObject()
        }
        endArray()
    }
}
