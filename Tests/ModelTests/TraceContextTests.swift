import StepwellModel
import Testing

@Suite("trace contexts")
struct TraceContextTests {
    private let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test("a traceparent is read and written as it was")
    func same() throws {
        let context = try #require(TraceContext(traceparent: text))
        #expect(context.traceparent == text)
        #expect(context.traceID == "4bf92f3577b34da6a3ce929d0e0e4736" && context.spanID == "00f067aa0ba902b7")
        #expect(context.isSampled)
        #expect(TraceContext(traceparent: String(text.dropLast()) + "2")?.isSampled == false)
        // A later version may have more behind it, and is answered in this one.
        #expect(TraceContext(traceparent: "cc" + text.dropFirst(2) + "-more")?.traceparent == text)
    }

    @Test(
        "what is none",
        arguments: [
            "", "00", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00 4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7 01",
        ])
    func none(text: String) { #expect(TraceContext(traceparent: text) == nil) }

    @Test("a task's spans are in its own trace or its submitter's, and no two are the same")
    func spans() throws {
        let task = TaskID(high: 0x019a_b4c2_7d00_7123, low: 0x8456_789a_bcde_f012)
        let parent = try #require(TraceContext(traceparent: text))
        let own = TraceContext(task: task, event: SequenceNumber(7), parent: nil)
        #expect(own.traceID == task.description.filter { $0 != "-" })
        // Frozen: whoever has stored a span's id finds it again.
        #expect(own.spanID == TraceContext(task: task, event: SequenceNumber(7), parent: parent).spanID)
        #expect(TraceContext(task: task, event: SequenceNumber(7), parent: parent).traceID == parent.traceID)
        let ids = Set((1...10_000).map { TraceContext(task: task, event: SequenceNumber($0), parent: nil).span })
        #expect(ids.count == 10_000)
    }
}
