import Glibc
import Stepwell
import StepwellEngine
import StepwellHistory
import StepwellLog
import StepwellModel
import Synchronization

/// All that a service tells others by itself: its webhooks, and its traces, each with a follower of its own.
package final class Outbox: Sendable {
    private struct State {
        var webhooks: [Webhook] = []
        /// Of each webhook, by its id.
        var followers: [String: Follower] = [:]
        var traces: Follower?
        var isStopped = false
        /// Nothing leaves while the server is on hold.
        var isHeld = false
    }

    private let engine: Engine
    private let feed: EventFeed
    private let storeID: String
    private let file: WebhookFile
    private let notice = Mutex<@Sendable (String) -> Void>({ _ in })
    private let state = Mutex(State())

    static let webhooksMax = 100
    static let version = stepwellVersion
    static let userAgent = "stepwell/\(stepwellVersion)"
    /// The folder of cursors, in the store's directory.
    private static let folder = "outward"

    init(engine: Engine, feed: EventFeed) throws {
        self.engine = engine
        self.feed = feed
        storeID = try engine.store.storeID()
        file = WebhookFile(store: engine.store.path)
    }

    /// Begins to deliver, from where the service before has stopped.
    /// - Parameters:
    ///   - traces: where traces go, if anywhere.
    ///   - isHeld: nothing leaves before ``release()``.
    package func start(traces: TraceReceiver?, isHeld: Bool, notice: @escaping @Sendable (String) -> Void) throws {
        self.notice.withLock { $0 = notice }
        state.withLock { $0.isHeld = isHeld }
        guard mkdir(engine.store.path + "/" + Self.folder, 0o700) == 0 || errno == EEXIST else {
            throw FileError.last(engine.store.path + "/" + Self.folder, "unwritable_file")
        }
        for webhook in try file.read() { try begin(webhook) }
        guard let traces else { return }
        let destination = TraceDestination(traces, log: engine.store, storeID: storeID)
        // The first time with what comes from now on.
        let follower = follower(destination, cursor: "traces", start: engine.store.head.number)
        try follower.prepare()
        let isHeld = state.withLock { state in
            state.traces = follower
            return state.isHeld
        }
        if !isHeld { follower.start() }
    }

    /// The hold is over.
    func release() {
        let followers = state.withLock { state in
            state.isHeld = false
            return Array(state.followers.values) + [state.traces].compactMap(\.self)
        }
        for follower in followers { follower.start() }
    }

    /// Ends all deliveries. What was not delivered waits for the next start.
    package func stop() async {
        let followers = state.withLock { state in
            state.isStopped = true
            return Array(state.followers.values) + [state.traces].compactMap(\.self)
        }
        for follower in followers {
            await withCheckedContinuation { continuation in follower.stop { continuation.resume() } }
        }
    }

    // MARK: Webhooks

    /// A webhook and how it fares.
    struct Report: Sendable {
        var webhook: Webhook
        var report: Follower.Report
        var lag: UInt64
    }

    /// The oldest first.
    var reports: [Report] {
        let head = engine.store.head.number
        return state.withLock { state in
            state.webhooks.compactMap { webhook in
                state.followers[webhook.id].map {
                    Report(webhook: webhook, report: $0.report, lag: $0.lag(behind: head))
                }
            }
        }
    }

    func report(_ id: String) throws -> Report {
        guard let report = reports.first(where: { $0.webhook.id == id }) else { throw WebhookError.unknown(id) }
        return report
    }

    /// Adds a webhook. It is on disk when this returns.
    func add(_ webhook: Webhook) throws -> Report {
        // Sooner than with the first event, when nobody looks.
        if let name = webhook.secretName { _ = try engine.core.secrets.value(of: name) }
        try change { webhooks in
            guard webhooks.count < Self.webhooksMax else { throw WebhookError.tooMany(Self.webhooksMax) }
            webhooks.append(webhook)
        }
        do { try begin(webhook) } catch {
            // Else it would come to life at the next start, and nobody could see or remove it before.
            try? change { $0.removeAll { $0.id == webhook.id } }
            throw error
        }
        return try report(webhook.id)
    }

    /// Removes it; nothing more is sent when this returns.
    func remove(_ id: String) async throws -> Report {
        let last = try report(id)
        try change { $0.removeAll { $0.id == id } }
        if let follower = state.withLock({ $0.followers.removeValue(forKey: id) }) {
            await withCheckedContinuation { continuation in follower.stop { continuation.resume() } }
            follower.removeCursor()
        }
        return last
    }

    /// Has one that was given up try again.
    func enable(_ id: String, after: SequenceNumber?) throws -> Report {
        guard let follower = state.withLock({ $0.followers[id] }) else { throw WebhookError.unknown(id) }
        try follower.enable(after: after)
        return try report(id)
    }

    private func change(_ body: (inout [Webhook]) throws -> Void) throws {
        try state.withLock { state in
            guard !state.isStopped else { throw Problem.stopping }
            var webhooks = state.webhooks
            try body(&webhooks)
            try file.write(webhooks)
            state.webhooks = webhooks
        }
    }

    private func begin(_ webhook: Webhook) throws {
        let destination = try WebhookDestination(
            webhook, log: engine.store, storeID: storeID, secrets: engine.core.secrets)
        let follower = follower(destination, cursor: "webhook-\(webhook.id)", start: webhook.after)
        try follower.prepare()
        let isHeld = state.withLock { state in
            if !state.webhooks.contains(where: { $0.id == webhook.id }) { state.webhooks.append(webhook) }
            state.followers[webhook.id] = follower
            return state.isHeld
        }
        if !isHeld { follower.start() }
    }

    private func follower(_ destination: any Destination, cursor: String, start: SequenceNumber) -> Follower {
        Follower(
            destination, log: engine.store, feed: feed,
            file: CursorFile(path: "\(engine.store.path)/\(Self.folder)/\(cursor).json"), start: start,
            clock: engine.core.clock, notice: notice.withLock { $0 })
    }

    // MARK: For metrics

    /// Each destination's name and how it fares, sorted.
    var figures: [(name: String, report: Follower.Report, lag: UInt64)] {
        let head = engine.store.head.number
        let (followers, traces) = state.withLock { ($0.followers, $0.traces) }
        return
            (followers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            + [traces].compactMap(\.self).map { ("traces", $0) })
            .map { ($0.0, $0.1.report, $0.1.lag(behind: head)) }
    }
}

extension Outbox.Report {
    /// What the API shows.
    var json: JSON {
        func time(_ time: Timestamp?) -> JSON { time.map { .string($0.description) } ?? .null }
        let cursor = report.cursor
        let word = cursor.disabledAt != nil ? "disabled" : cursor.failingSince != nil ? "failing" : "active"
        let standing: JSON = [
            "state": .string(word), "after": .number(String(cursor.after.rawValue)), "lag": .number(String(lag)),
            "sent": .number(String(report.sent)), "failed": .number(String(report.failed)),
            "last_sent_at": time(report.lastSent), "last_failed_at": time(report.lastFailed),
            "last_error": cursor.lastError.map(JSON.string) ?? .null, "failing_since": time(cursor.failingSince),
            "next_try_at": time(report.nextTry), "disabled_at": time(cursor.disabledAt),
        ]
        return .object((webhook.json.members ?? []) + (standing.members ?? []))
    }
}
