import Glibc
import StepwellHTTP
import StepwellLog
import StepwellModel

/// Takes the spans of each run of a task that has ended to a collector, over OTLP/HTTP in JSON. Ids and times are from the log, so a
/// collector that gets a span twice gets the same one.
final class TraceDestination: Destination {
    private let receiver: TraceReceiver
    private let log: any StoreQueries
    private let client: HTTPClient
    private let resource: [(name: String, value: Span.Value)]

    private static let timeout = Duration.seconds(30)
    private static let answerBytesMax = 64 << 10
    /// Spans in one request: collectors take a few MiB at once.
    private static let spansMax = 1000

    init(_ receiver: TraceReceiver, log: any StoreQueries, storeID: String) {
        self.receiver = receiver
        self.log = log
        client = HTTPClient(receiver.url.server)
        var host = [CChar](repeating: 0, count: 256)
        gethostname(&host, host.count - 1)
        let name = host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        resource =
            [
                ("service.name", .text(receiver.serviceName)), ("service.version", .text(Outbox.version)),
                ("service.instance.id", .text(storeID)), ("host.name", .text(String(decoding: name, as: UTF8.self))),
            ] + receiver.resource.map { ($0.name, Span.Value.text($0.value)) }
    }

    let label = "traces"
    let patience = Patience(giveUpAfter: nil)
    func interrupt() { client.interrupt() }

    func parcels(for record: EventRecord) throws -> [Parcel] {
        switch record.event {
        case .taskCompleted, .taskCancelled, .taskBlocked: break
        default: return []
        }
        guard let task = record.task, let summary = try log.task(task),
            let template = try log.template(summary.template), let submission = try submission(summary)
        else { return [] }
        var trace = TaskTrace(task: task, template: template, submission: submission)
        guard trace.isSampled else { return [] }
        do {
            try log.events(of: task, after: .zero, payloads: .skipped) { event in
                guard event.number <= record.number else { throw Enough() }
                try trace.take(event, origin: origin)
            }
        } catch is Enough {}
        let spans = trace.spans
        return stride(from: 0, to: spans.count, by: Self.spansMax).map { start in
            Parcel(
                id: "\(record.number.rawValue)/\(start)",
                body: TraceJSON.body(spans[start..<min(spans.count, start + Self.spansMax)], resource: resource))
        }
    }

    /// Ends a walk early.
    private struct Enough: Error {}

    private func submission(_ summary: TaskSummary) throws -> Submission? {
        guard case .taskSubmitted(let submission) = try log.event(summary.first)?.event else { return nil }
        return submission
    }

    /// The first run of another task; nil when the store does not have it any more.
    private func origin(_ task: TaskID) throws -> TraceContext? {
        guard let summary = try log.task(task), let submission = try submission(summary) else { return nil }
        return TraceContext(task: task, event: summary.first, parent: submission.parentSpan)
    }

    func send(_ parcel: Parcel, at now: Timestamp) -> Delivery {
        let headers = [("Content-Type", "application/json"), ("User-Agent", Outbox.userAgent)] + receiver.headers
        do throws(HTTPError) {
            let answer = try client.send(
                "POST", receiver.url.path, body: parcel.body, headers: headers, timeout: Self.timeout,
                answerBytesMax: Self.answerBytesMax)
            switch answer.status {
            case 200..<300: return Self.partial(answer.body).map { .refused($0) } ?? .delivered
            // What the collector will never take must not hold up the rest.
            case 400, 413, 415, 422: return .refused("the collector has answered \(answer.status)")
            default:
                return .failed(
                    "the collector has answered \(answer.status)",
                    retryAfter: answer.header("retry-after").flatMap { Patience.retryAfter($0, at: now) })
            }
        } catch { return .failed("\(error.message) [\(error.code)]", retryAfter: nil) }
    }

    /// What a collector says that has taken a part only.
    private static func partial(_ body: [UInt8]) -> String? {
        guard let partial = (try? JSONText(body))?.json["partialSuccess"] else { return nil }
        let count = partial["rejectedSpans"]?.int ?? partial["rejectedSpans"]?.string.flatMap { Int64($0) } ?? 0
        guard count > 0 else { return nil }
        return "the collector has refused \(count) spans: \(partial["errorMessage"]?.string ?? "")"
    }
}
