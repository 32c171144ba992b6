import Stepwell
import StepwellHistory
import StepwellLog
import StepwellModel

extension Routes {
    private static let query: [Operation.Parameter] = [
        .init("after", "Only events after this number.", ["type": "integer", "minimum": 0]),
        .init("limit", "At most so many.", ["type": "integer", "minimum": 1, "maximum": 1000, "default": 100]),
        .init("follow", "Go on with new events for ever, as server-sent events.", ["type": "boolean"]),
        .init("last-event-id", "With `follow`: the number of the last event that was seen.", isHeader: true),
    ]

    static let events: [Route] = [
        Route(
            "GET", "/v1/events", .view,
            Operation(
                id: "listEvents", tag: "Events", summary: "The log: facts, and the decisions that followed from them.",
                details: """
                    With `follow=true`, or `Accept: text/event-stream`, the answer is a stream of server-sent events that never \
                    ends. Each has its number as `id`; whoever comes again with `Last-Event-ID` misses and repeats nothing.
                    """,
                query: query, answers: [(200, "Events, oldest first.", .json("EventList"))]),
            .now { call in try events(call, of: nil) }),
        Route(
            "GET", "/v1/tasks/{task}/events", .view,
            Operation(
                id: "listTaskEvents", tag: "Events", summary: "The events of one task.", query: query,
                answers: [(200, "Events, oldest first.", .json("EventList"))], problems: [404]),
            .now { call in try events(call, of: try call.task()) }),
    ]

    private static func events(_ call: Call, of task: TaskID?) throws -> HTTPResponse {
        try call.allowOnly("after", "limit", "follow")
        var after = UInt64(try call.integer("after", in: 0...Int.max) ?? 0)
        let follows = try call.flag("follow") || call.request.headers["accept"]?.contains("text/event-stream") == true
        if let last = call.request.headers["last-event-id"] {
            guard let number = UInt64(last) else {
                throw Problem.malformed("'Last-Event-ID' must be the number of an event, not '\(last)'")
            }
            after = max(after, number)
        }
        if follows {
            var response = HTTPResponse(
                stream: EventStream(
                    call.service, task: task, after: SequenceNumber(after), namespaces: call.identity.namespaces),
                contentType: "text/event-stream")
            response.headers.append(("Cache-Control", "no-store"))
            return response
        }
        let limit = try call.integer("limit", in: 1...1000) ?? 100
        return try page(call, of: task, after: SequenceNumber(after), limit)
    }

    private static func page(
        _ call: Call, of task: TaskID?, after: SequenceNumber, _ limit: Int
    ) throws -> HTTPResponse {
        var facts = TaskFacts(reader: call.service.store)
        var json = JSONWriter()
        var count = 0
        var last = after
        json.beginObject()
        json.name("events")
        json.beginArray()
        func take(_ record: EventRecord) throws -> Bool {
            last = record.number
            guard try call.identity.namespaces.includes(record.task, call.service.store) else { return true }
            let steps = try facts.steps(of: record.task)
            json.raw(EventJSON.line(record) { steps?[$0] })
            count += 1
            return count < limit
        }
        try call.service.events(of: task, after: after, take)
        json.endArray()
        // Where to go on, also when there is nothing new yet.
        json.member("next_after", last.rawValue)
        json.endObject()
        return HTTPResponse(json: JSONText(trusted: json.bytes))
    }
}
