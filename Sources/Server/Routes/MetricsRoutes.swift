import Glibc
import Stepwell
import StepwellEngine
import StepwellKernel
import StepwellLog
import StepwellModel

extension Routes {
    static let metrics: [Route] = [
        Route(
            "GET", "/v1/metrics", .view,
            Operation(
                id: "getMetrics", tag: "Health", summary: "Figures for Prometheus, in its text format 0.0.4.",
                details: "The page docs/operations.md lists them.",
                answers: [(200, "The figures.", .text)]),
            .later { call in
                try call.needAllNamespaces("the figures are")
                let text = try await call.service.metricsText()
                return HTTPResponse(contentType: "text/plain; version=0.0.4", body: Array(text.utf8))
            })
    ]
}

/// The live figures of the engine, taken between two turns.
private struct Live: Sendable {
    let figures: StateFigures
    let limits: [LimitUse]
    let workers: Int
    let slots: Int
    let running: Int

    init(_ state: State, at now: Timestamp) {
        figures = state.figures
        limits = state.limits(at: now)
        workers = state.workerIDs.count
        slots = state.workerIDs.reduce(0) { $0 + (state.worker($1)?.slots ?? 0) }
        running = state.runningAttemptCount
    }
}

extension StateFigures.Lane {
    fileprivate var labels: [(String, String)] { [("namespace", namespace), ("handler", handler ?? "(command)")] }
}

extension LimitUse {
    fileprivate var labels: [(String, String)] {
        [("scope", setting.target.scope.name), ("name", setting.target.name)]
    }
}

extension Service {
    fileprivate func metricsText() async throws -> String {
        let now = engine.core.clock.now()
        let live = try await engine.core.answer { Live($0, at: now) }
        let (counts, requests) = (metrics.currentCounts, metrics.currentRequests)
        var text = MetricsText()
        text.add(.events, EventType.allCases.map { ([("type", $0.name)], "\(counts.events[$0] ?? 0)") })
        text.add(
            .openTasks,
            TaskState.allCases.filter { !$0.isClosed }
                .map { ([("state", $0.name)], "\(live.figures.count(of: $0))") })
        text.add(
            .openSteps, StepState.allCases.map { ([("state", $0.name)], "\(live.figures.count(of: $0))") })
        text.add(.waiting, live.figures.lanes.map { ($0.labels, "\($0.waiting)") })
        text.add(
            .oldest,
            try live.figures.lanes.map { lane in
                let start = try lane.oldest.flatMap { try time(of: $0) } ?? now
                return (lane.labels, "\(Double(max(0, (now - start).rawValue)) / 1000)")
            })
        text.add(.limitRunning, live.limits.map { ($0.labels, "\($0.running)") })
        text.add(.limitWaiting, live.limits.map { ($0.labels, "\($0.waiting)") })
        text.add(.workers, value: live.workers)
        text.add(.slots, value: live.slots)
        text.add(.running, value: live.running)
        text.add(.commitSeconds, histogram: counts.commitSeconds)
        text.add(.commitEvents, histogram: counts.commitEvents)
        text.add(.head, value: store.head.number.rawValue)
        text.add(.bytes, value: dataBytes)
        text.add(.recovery, value: Double(engine.recovery.duration.rawValue) / 1000)
        text.add(
            .requests,
            requests.answered.sorted { $0.key < $1.key }.map { key, count in
                ([("method", key.method), ("route", key.path), ("status", "\(key.status)")], "\(count)")
            })
        text.add(.requestSeconds, histogram: requests.seconds)
        text.add(.connections, value: metrics.connectionCount)
        text.add(.streams, value: metrics.streamCount)
        text.add(.refusals, refusals.counts.map { ([("code", $0.code)], "\($0.count)") })
        text.add(.templateFaults, value: metrics.templateFaults.value)
        text.add(.held, value: engine.core.heldWorkerCount == nil ? 0 : 1)
        let outward = outbox.figures
        func add(_ metric: MetricName, _ value: (Follower.Report, UInt64) -> UInt64) {
            text.add(metric, outward.map { ([("to", $0.name)], "\(value($0.report, $0.lag))") })
        }
        add(.outwardSent) { report, _ in report.sent }
        add(.outwardFailed) { report, _ in report.failed }
        add(.outwardLag) { _, lag in lag }
        add(.outwardDown) { report, _ in
            report.cursor.disabledAt != nil ? 2 : report.cursor.failingSince != nil ? 1 : 0
        }
        addProcess(to: &text, at: now)
        return text.text
    }

    private func addProcess(to text: inout MetricsText, at now: Timestamp) {
        let process = ProcessFigures.now()
        text.add(.heap, value: process.heapBytes)
        text.add(.heapUsed, value: process.heapUsedBytes)
        if let bytes = process.residentBytes { text.add(.resident, value: bytes) }
        if let bytes = process.virtualBytes { text.add(.virtual, value: bytes) }
        text.add(.processorSeconds, value: process.processorSeconds)
        // None left to count them with: then all are open.
        text.add(.descriptors, value: process.descriptors.map(UInt64.init) ?? process.descriptorsMax)
        text.add(.descriptorsMax, value: process.descriptorsMax)
        let age = monotonicMilliseconds() - startedAt
        text.add(.start, value: Double(now.milliseconds - age) / 1000)
    }

    /// When an event was written.
    private func time(of number: SequenceNumber) throws -> Timestamp? {
        var time: Timestamp?
        try store.events(after: SequenceNumber(number.rawValue - 1), payloads: .skipped) { record in
            time = record.time
            return false
        }
        return time
    }

    private var dataBytes: Int {
        var status = stat()
        return stat(store.path + "/data.mdb", &status) == 0 ? Int(status.st_size) : 0
    }
}
