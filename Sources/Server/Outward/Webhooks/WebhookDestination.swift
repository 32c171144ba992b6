import StepwellEngine
import StepwellHTTP
import StepwellHistory
import StepwellLog
import StepwellModel
import Synchronization

/// Takes events to a webhook: each as one request, in CloudEvents' structured JSON.
final class WebhookDestination: Destination {
    let webhook: Webhook
    private let log: any StoreQueries
    private let storeID: String
    private let secrets: SecretStore
    private let client: HTTPClient
    private let path: String
    private let facts: Mutex<TaskFacts>

    private static let timeout = Duration.seconds(30)
    /// An answer's body is of no interest.
    private static let answerBytesMax = 4096

    init(_ webhook: Webhook, log: any StoreQueries, storeID: String, secrets: SecretStore) throws {
        self.webhook = webhook
        self.log = log
        self.storeID = storeID
        self.secrets = secrets
        let url = try OutwardURL(webhook.url)
        client = HTTPClient(url.server)
        path = url.path
        facts = Mutex(TaskFacts(reader: log))
    }

    var label: String { "webhook \(webhook.id)" }
    var patience: Patience { Patience(giveUpAfter: webhook.disableAfter) }
    func interrupt() { client.interrupt() }

    func parcels(for record: EventRecord) throws -> [Parcel] {
        guard webhook.wants(record.event.type) else { return [] }
        if webhook.isForSomeTasks {
            guard let task = record.task, let summary = try log.task(task),
                webhook.wants(namespace: summary.namespace, task: summary.name)
            else { return [] }
        }
        let body = try facts.withLock { facts in
            let steps = try facts.steps(of: record.task)
            return CloudEventJSON.line(
                record, storeID: storeID, correlationID: try facts.correlationID(of: record.task)
            ) { step in steps.flatMap { $0.indices.contains(step) ? $0[step] : nil } }
        }
        // After a restore, or where a copy took the store's place, numbers are given again; never at the same time of the log.
        let id = "\(storeID)-\(record.number.rawValue)-\(record.time.milliseconds)"
        return [Parcel(id: id, body: body)]
    }

    func send(_ parcel: Parcel, at now: Timestamp) -> Delivery {
        let seconds = now.milliseconds / 1000
        var headers = [
            ("Content-Type", "application/cloudevents+json; charset=utf-8"), ("User-Agent", Outbox.userAgent),
            ("webhook-id", parcel.id), ("webhook-timestamp", String(seconds)),
        ]
        if let name = webhook.secretName {
            do throws(SecretError) {
                let secret = try secrets.value(of: name)
                headers.append(
                    (
                        "webhook-signature",
                        Signature.header(id: parcel.id, seconds: seconds, body: parcel.body, secret: secret)
                    ))
            } catch { return .failed("\(error.message) [\(error.code)]", retryAfter: nil) }
        }
        do throws(HTTPError) {
            let answer = try client.send(
                "POST", path, body: parcel.body, headers: headers, timeout: Self.timeout,
                answerBytesMax: Self.answerBytesMax)
            switch answer.status {
            case 200..<300: return .delivered
            case 410: return .gone("the receiver has answered 410: it is gone")
            default:
                return .failed(
                    "the receiver has answered \(answer.status)",
                    retryAfter: answer.header("retry-after").flatMap { Patience.retryAfter($0, at: now) })
            }
        } catch { return .failed("\(error.message) [\(error.code)]", retryAfter: nil) }
    }
}
