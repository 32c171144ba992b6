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
                answers: [(200, "The figures.", .init(type: "text/plain", schema: ["type": "string"]))]),
            .later { call in
                try call.needAllNamespaces("the figures are")
                let text = try await call.service.metricsText()
                return HTTPResponse(contentType: "text/plain; version=0.0.4", body: Array(text.utf8))
            })
    ]
}

/// The live figures of the engine, taken between two turns.
private struct Live: Sendable {
    var states: [TaskState: Int] = [:]
    /// For each handler how many steps wait, and the event since which the oldest does.
    var waiting: [String: (count: Int, oldest: SequenceNumber)] = [:]
    var workers: Int
    var slots: Int
    var running: Int

    init(_ state: State) {
        workers = state.workerIDs.count
        slots = state.workerIDs.reduce(0) { $0 + (state.worker($1)?.slots ?? 0) }
        running = state.runningAttemptCount
        for task in state.openTasks {
            states[task.state, default: 0] += 1
            for (step, template) in zip(task.steps, task.plan.template.steps) where step.state == .enqueued {
                let handler =
                    switch template.handler.target {
                    case .callable(let name, _): name
                    case .command: "(command)"
                    }
                let known = waiting[handler] ?? (0, step.since)
                waiting[handler] = (known.count + 1, min(known.oldest, step.since))
            }
        }
    }
}

extension Service {
    fileprivate func metricsText() async throws -> String {
        let live = try await engine.core.ask { Live($0) }
        let (counts, requests) = (metrics.currentCounts, metrics.currentRequests)
        var text = MetricsText()
        text.add(.events, EventType.allCases.map { ([("type", $0.name)], "\(counts.events[$0] ?? 0)") })
        text.add(
            .openTasks,
            TaskState.allCases.filter { !$0.isClosed }.map { ([("state", $0.name)], "\(live.states[$0] ?? 0)") })
        let waiting = live.waiting.sorted { $0.key < $1.key }
        text.add(.waiting, waiting.map { ([("handler", $0.key)], "\($0.value.count)") })
        text.add(
            .oldest,
            try waiting.map { handler, steps in
                let age = now.milliseconds - (try time(of: steps.oldest) ?? now).milliseconds
                return ([("handler", handler)], "\(Double(max(0, age)) / 1000)")
            })
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
            requests.answered.map { key, count in
                ([("method", key.method), ("route", key.path), ("status", "\(key.status)")], "\(count)")
            }.sorted { "\($0)" < "\($1)" })
        text.add(.requestSeconds, histogram: requests.seconds)
        text.add(.connections, value: metrics.connectionCount)
        text.add(.streams, value: metrics.streamCount)
        text.add(.refusals, refusals.counts.map { ([("code", $0.code)], "\($0.count)") })
        text.add(.held, value: engine.core.heldWorkerCount == nil ? 0 : 1)
        return text.text
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
