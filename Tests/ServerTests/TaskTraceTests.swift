import StepwellLog
import StepwellModel
import Testing

@testable import StepwellServer

@Suite("the spans of a task, from its events")
struct TaskTraceTests {
    private static let task = TaskID(high: 0x019a_b4c2_7d00_7123, low: 0x8456_789a_bcde_f012)
    private static let template = Template(
        namespace: "ops", name: "nightly", version: "1",
        steps: [
            StepTemplate(name: "first", handler: .command(["true"])),
            StepTemplate(name: "second", handler: .callable("h"), dependencies: [0]),
        ])

    /// Events one millisecond after the other, with numbers from 1.
    private func spans(_ events: [Event], submission change: (inout Submission) -> Void = { _ in }) -> [Span] {
        var submission = Submission(
            template: TemplateDigest([]), namespace: "ops", name: "nightly", version: "1", correlationID: "c")
        change(&submission)
        var trace = TaskTrace(task: Self.task, template: Self.template, submission: submission)
        for (place, event) in ([.taskSubmitted(submission)] + events).enumerated() {
            let record = EventRecord(
                number: SequenceNumber(UInt64(place + 1)), task: Self.task, taskNumber: UInt32(place + 1),
                previous: .zero,
                time: Timestamp(milliseconds: 1000 + Int64(place)), actor: Actor(.worker, id: "python#1"), cause: .zero,
                event: event)
            trace.take(record) { TraceContext(high: 1, low: 2, span: UInt64($0.low)) }
        }
        return trace.spans
    }

    private func start(_ step: Int, _ attempt: Int = 1) -> Event {
        .attemptStarted(AttemptStart(step: step, attempt: attempt, worker: WorkerID(3), workerKind: .process))
    }

    private func attempt(_ step: Int, _ lease: UInt64) -> AttemptID {
        AttemptID(step: step, attempt: 1, lease: Lease(lease), worker: WorkerID(3))
    }

    private func value(_ name: String, of span: Span) -> Span.Value? {
        span.attributes.first { $0.name == name }?.value
    }

    @Test("a run and its attempts, one below the other, with the log's times")
    func complete() throws {
        let spans = spans([
            .stepEnqueued(0), start(0), .attemptSucceeded(attempt(0, 3), result: .null, metadata: nil),
            .stepCompleted(0),
            .taskCompleted,
        ])
        try #require(spans.count == 2)
        #expect(spans[0].kind == .server && spans[0].parent == nil && spans[0].status == .ok)
        #expect(spans[0].start.milliseconds == 1000 && spans[0].end.milliseconds == 1005)
        #expect(spans[1].name == "first" && spans[1].parent == spans[0].context.span)
        #expect(spans[1].start.milliseconds == 1002 && spans[1].end.milliseconds == 1003)
        #expect(value("cicd.worker.name", of: spans[1]) == .text("python#1"))
        #expect(spans[1].context == TraceContext(task: Self.task, event: SequenceNumber(3), parent: nil))
    }

    @Test("what was lost, timed out or cancelled ends as such")
    func ends() throws {
        let spans = spans([
            start(0), .attemptLost(attempt(0, 2), .workerDied), start(0), .attemptTimedOut(attempt(0, 4)), start(0),
            .operatorCancelled(reason: nil), .taskCancelled, .attemptStopped(attempt(0, 6)),
        ])
        let results = spans.dropFirst().map { value("cicd.pipeline.task.run.result", of: $0) }
        #expect(results == [.text("error"), .text("timeout"), .text("cancellation")])
        #expect(value("cicd.pipeline.result", of: try #require(spans.first)) == .text("cancellation"))
        #expect(spans[2].links.map(\.to) == [spans[1].context] && spans[3].links.map(\.to) == [spans[2].context])
    }

    @Test("a task that was blocked has another run, and what comes late from a worker begins none")
    func runs() throws {
        let blocked: [Event] = [
            start(0), .attemptFailed(attempt(0, 2), Failure(message: "no", errorType: "x")),
            .stepFailed(0, .attemptsExhausted), .taskBlocked,
        ]
        let first = spans(blocked)
        #expect(value("error.type", of: first[0]) == .text("x") && first[0].status == .error("no"))
        let late = Event.resultRejected(attempt(0, 2), RejectedResult(reason: .duplicate, succeeded: true))
        #expect(spans(blocked + [late]).map(\.context) == first.map(\.context))
        let second = spans(
            blocked + [
                late, .operatorRetried(steps: [0], reason: nil), start(0), .operatorCancelled(reason: nil),
                .taskCancelled,
            ])
        #expect(second.count == 2)
        #expect(second[0].start.milliseconds == 1006 && second[0].links.map(\.to) == [first[0].context])
        #expect(second[1].links.map(\.to) == [first[1].context])
    }

    @Test("a task below somebody's span, and a fork")
    func above() throws {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let spans = spans([.taskCompleted]) { submission in
            submission.traceparent = parent
            submission.forkedFrom = TaskID(high: 1, low: 9)
        }
        #expect(spans[0].parent == 0x00f0_67aa_0ba9_02b7)
        #expect(spans[0].context.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(spans[0].links.map(\.to) == [TraceContext(high: 1, low: 2, span: 9)])
    }

    @Test("the variables of OpenTelemetry")
    func variables() throws {
        func receiver(_ base: String?, _ variables: [String: String]) throws -> TraceReceiver? {
            try TraceReceiver(base: base) { variables[$0] }
        }
        let endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
        #expect(try receiver(nil, [:]) == nil)
        #expect(try receiver(nil, [endpoint: ""]) == nil)
        #expect(try receiver(nil, [endpoint: "http://x", "OTEL_SDK_DISABLED": "true"]) == nil)
        #expect(try receiver(nil, [endpoint: "http://x:4318/"])?.url.description == "http://x:4318/v1/traces")
        #expect(try receiver("http://y/v1/traces", [endpoint: "http://x"])?.url.path == "/v1/traces")
        let whole = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x/own"]
        #expect(try receiver(nil, whole)?.url.path == "/own")
        #expect(throws: (any Error).self) { try receiver("x", [:]) }
        let pairs = TraceReceiver.pairs("a=1, b=%20x%3D,c,=d,e=\n").map { "\($0.name)=\($0.value)" }
        #expect(pairs == ["a=1", "b= x="])
    }
}
