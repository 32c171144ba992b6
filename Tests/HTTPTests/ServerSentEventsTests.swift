import StepwellHTTP
import Testing

/// Server-sent events, wherever the bytes are cut.
@Suite struct ServerSentEventsTests {
    private let stream = Array(
        ": a comment\n\nid: 7\nevent: task.paused\ndata: one\ndata:\ndata:  two: ä\n\nevent: end\ndata:\n\nid: 8\ndata: cut off"
            .utf8)

    private let wanted = [
        ServerSentEvents.Event(id: "7", type: "task.paused", data: "one\n\n two: ä"),
        ServerSentEvents.Event(id: "", type: "end", data: ""),
    ]

    @Test(arguments: [1, 2, 3, 5, 7, 64, 4096]) func whatIsCutIsPutTogether(size: Int) {
        var parser = ServerSentEvents()
        var found: [ServerSentEvents.Event] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            found += parser.take(stream[start..<min(stream.count, start + size)])
        }
        #expect(found == wanted)
        // What was not whole comes with its end.
        #expect(parser.take("\n\n".utf8).map(\.data) == ["cut off"])
    }

    @Test func whatIsNoFieldIsLeftOut() {
        var parser = ServerSentEvents()
        #expect(parser.take("retry: 5\nnonsense\ndata\n\n".utf8) == [ServerSentEvents.Event(data: "")])
        #expect(parser.take("id: 1\n\n".utf8).isEmpty)
    }
}
