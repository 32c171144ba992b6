import Stepwell
import StepwellHistory
import StepwellLog
import StepwellModel

extension Routes {
    private static let after = Operation.Parameter(
        "after", "Only events after this number.", ["type": "integer", "minimum": 0])
    private static let limit = Operation.Parameter(
        "limit", "At most so many.", ["type": "integer", "minimum": 1, "maximum": 1000, "default": 100])
    private static let lastID = Operation.Parameter(
        "last-event-id", "The number of the last event that was seen.", ["type": "integer", "minimum": 0],
        isHeader: true)
    private static let form = Operation.Parameter(
        "format", "How each event is written.",
        ["type": "string", "enum": .array(EventForm.allCases.map { .string($0.rawValue) }), "default": "json"])
    private static let follows = Operation.Parameter(
        "follow",
        "Without it, or `true`, the stream never ends; else it does with the last event of now, and says `event: end`.",
        ["type": "boolean", "default": true])
    private static let pages = """
        Go on with `after` = `next_after`, until that stays as it was: a page may hold fewer than `limit`, or none, though there are more.
        """
    /// A page ends behind so many events, also of those that are not for the client, and behind so many bytes: whoever asks is
    /// answered at once, and holds up nobody.
    private static let looksMax = 5000
    private static let pageBytesMax = 4 << 20
    private static let stream = Operation.Content(type: "text/event-stream", schema: ["type": "string"])

    static let events: [Route] = [
        Route(
            "GET", "/v1/events", .view,
            Operation(
                id: "listEvents", tag: "Events", summary: "The log: facts, and the decisions that followed from them.",
                details: pages, query: [after, limit],
                answers: [(200, "Events, oldest first.", .json("EventList"))]),
            .now { call in try page(call, of: nil) }),
        Route(
            "GET", "/v1/events/stream", .view,
            Operation(
                id: "followEvents", tag: "Events", summary: "The log as server-sent events, which never end.",
                details: """
                    Each event has its number as `id`; whoever comes again with `Last-Event-ID` misses and repeats nothing.
                    """,
                query: [after, form, follows, lastID], answers: [(200, "Events for ever.", stream)]),
            .now { call in try follow(call, of: nil) }),
        Route(
            "GET", "/v1/tasks/{task}/events", .view,
            Operation(
                id: "listTaskEvents", tag: "Events", summary: "The events of one task.", details: pages,
                query: [after, limit], answers: [(200, "Events, oldest first.", .json("EventList"))]),
            .now { call in try page(call, of: try call.task()) }),
        Route(
            "GET", "/v1/tasks/{task}/events/stream", .view,
            Operation(
                id: "followTaskEvents", tag: "Events", summary: "The events of one task as server-sent events.",
                query: [after, form, follows, lastID], answers: [(200, "Events for ever.", stream)]),
            .now { call in try follow(call, of: try call.task()) }),
    ]

    private static func follow(_ call: Call, of task: TaskID?) throws -> HTTPResponse {
        try call.allowOnly("after", "format", "follow")
        guard let form = EventForm(rawValue: call.request.queried("format") ?? EventForm.json.rawValue) else {
            throw Problem.malformed(
                "'\(call.request.queried("format") ?? "")' is no format of events",
                cure: "those are: " + EventForm.allCases.map(\.rawValue).joined(separator: ", "))
        }
        let follows = try call.request.queried("follow") == nil || call.flag("follow")
        var after = UInt64(try call.integer("after", in: 0...Int.max) ?? 0)
        if let last = call.request.headers["last-event-id"] {
            guard let number = UInt64(last), number <= UInt64(Int.max) else {
                throw Problem.malformed("'Last-Event-ID' must be the number of an event, not '\(last)'")
            }
            after = max(after, number)
        }
        let stream = try EventStream(
            call.service, task: task, after: SequenceNumber(after), form: form,
            until: follows ? nil : call.service.store.head.number, namespaces: call.identity.namespaces)
        var response = HTTPResponse(stream: stream, contentType: "text/event-stream")
        response.headers.append(("Cache-Control", "no-store"))
        return response
    }

    private static func page(_ call: Call, of task: TaskID?) throws -> HTTPResponse {
        try call.allowOnly("after", "limit")
        let after = SequenceNumber(UInt64(try call.integer("after", in: 0...Int.max) ?? 0))
        let limit = try call.integer("limit", in: 1...1000) ?? 100
        var facts = TaskFacts(reader: call.service.store)
        var json = JSONWriter()
        var count = 0
        var looks = 0
        var last = after
        json.beginObject()
        json.name("events")
        json.beginArray()
        func take(_ record: EventRecord) throws -> Bool {
            last = record.number
            looks += 1
            guard try call.identity.namespaces.includes(record.task, call.service.store) else {
                return looks < looksMax
            }
            let steps = try facts.steps(of: record.task)
            json.raw(EventJSON.line(record) { steps?[$0] })
            count += 1
            return count < limit && looks < looksMax && json.bytes.count < pageBytesMax
        }
        try call.service.store.followedEvents(of: task, after: after, take)
        json.endArray()
        // Where to go on, also when there is nothing new yet.
        json.member("next_after", last.rawValue)
        json.endObject()
        return HTTPResponse(json: JSONText(trusted: json.bytes))
    }
}
