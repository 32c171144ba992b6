/// A metric's name, kind and meaning. The table in docs/operations.md has the same.
struct MetricName: Sendable {
    enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
    }

    let name: String
    let kind: Kind
    let help: String

    /// - Parameter prefix: figures that every program has go by the names that Prometheus' own clients give them.
    private init(_ name: String, _ kind: Kind, _ help: String, prefix: String = "stepwell_") {
        self.name = prefix + name
        self.kind = kind
        self.help = help
    }

    static let events = MetricName(
        "events_total", .counter, "Events written since the start, by their type.")
    static let openTasks = MetricName("open_tasks", .gauge, "Tasks that are not closed, by their state.")
    static let openSteps = MetricName("open_task_steps", .gauge, "Steps of tasks that are not closed, by their state.")
    static let waiting = MetricName(
        "waiting_steps", .gauge, "Steps that are enqueued and have not started, by their namespace and handler.")
    static let oldest = MetricName(
        "oldest_waiting_seconds", .gauge,
        "How long the oldest of the waiting steps has waited, by its namespace and handler.")
    static let limitRunning = MetricName(
        "limit_running_attempts", .gauge, "Attempts that workers hold, for each limit by its scope and name.")
    static let limitWaiting = MetricName(
        "limit_waiting_steps", .gauge, "Steps that wait because of a limit, by its scope and name.")
    static let workers = MetricName("workers", .gauge, "Workers that are connected.")
    static let slots = MetricName("worker_slots", .gauge, "Attempts that the workers can run at the same time.")
    static let running = MetricName("running_attempts", .gauge, "Attempts that the workers hold.")
    static let commitSeconds = MetricName("commit_seconds", .histogram, "How long commits to the log took.")
    static let commitEvents = MetricName("commit_events", .histogram, "How many events came with a commit.")
    static let head = MetricName("log_head", .gauge, "The number of the last event.")
    static let bytes = MetricName("store_bytes", .gauge, "The size of the store's data file.")
    static let recovery = MetricName("recovery_seconds", .gauge, "How long the last recovery took.")
    static let requests = MetricName(
        "http_requests_total", .counter, "Requests answered, by method, route and status.")
    static let requestSeconds = MetricName(
        "http_request_seconds", .histogram, "How long it took until the answer to a request was there.")
    static let connections = MetricName("http_connections", .gauge, "Connections that are open.")
    static let streams = MetricName("event_streams", .gauge, "Streams of events that are open.")
    static let refusals = MetricName(
        "access_refusals_total", .counter, "Requests refused with 401 or 403, by the error's code.")

    static let templateFaults = MetricName(
        "template_faults", .gauge, "Files of the folder of templates that cannot be used.")
    static let held = MetricName(
        "held", .gauge, "1 while nothing is given to workers until somebody ends the hold, else 0.")

    static let outwardSent = MetricName(
        "outward_sent_total", .counter,
        "Requests that a webhook, or the receiver of traces, has taken, since the start.")
    static let outwardFailed = MetricName(
        "outward_failed_total", .counter, "Requests that were not taken, those tried again included.")
    static let outwardLag = MetricName(
        "outward_lag_events", .gauge, "How many events a webhook, or the receiver of traces, is behind the log.")
    static let outwardDown = MetricName(
        "outward_down", .gauge, "1 while nothing can be delivered there, 2 when it was given up, else 0.")

    static let heap = MetricName("heap_bytes", .gauge, "Memory that the server's heap has taken from the system.")
    static let heapUsed = MetricName(
        "heap_used_bytes", .gauge, "How much of the heap is in use, or kept by a thread for its next use.")
    static let resident = MetricName(
        "resident_memory_bytes", .gauge, "Memory of the server, pages of the store's file included.", prefix: "process_"
    )
    static let virtual = MetricName(
        "virtual_memory_bytes", .gauge, "Addresses of the server, those of the store's file included.",
        prefix: "process_")
    static let processorSeconds = MetricName(
        "cpu_seconds_total", .counter, "Processor time that the server has taken.", prefix: "process_")
    static let descriptors = MetricName("open_fds", .gauge, "Descriptors that are open.", prefix: "process_")
    static let descriptorsMax = MetricName(
        "max_fds", .gauge, "Descriptors that may be open at the same time.", prefix: "process_")
    static let start = MetricName(
        "start_time_seconds", .gauge, "When the server was started, in seconds since 1970.", prefix: "process_")

    static let all = [
        events, openTasks, openSteps, waiting, oldest, limitRunning, limitWaiting, workers, slots, running,
        commitSeconds, commitEvents, head, bytes, recovery,
        requests, requestSeconds, connections, streams, refusals, templateFaults, held,
        outwardSent, outwardFailed, outwardLag, outwardDown,
        heap, heapUsed, resident, virtual, processorSeconds, descriptors, descriptorsMax, start,
    ]
}

/// Metrics as Prometheus reads them, in the text format 0.0.4.
struct MetricsText {
    private(set) var text = ""

    /// One metric with all its values, each with its labels.
    mutating func add(_ metric: MetricName, _ samples: [(labels: [(String, String)], value: String)]) {
        head(metric)
        for sample in samples { line(metric.name, sample.labels, sample.value) }
    }

    /// A metric that has a single value.
    mutating func add(_ metric: MetricName, value: some CustomStringConvertible) {
        add(metric, [([], value.description)])
    }

    mutating func add(_ metric: MetricName, histogram: Histogram) {
        head(metric)
        var count: UInt64 = 0
        for (bound, more) in zip(histogram.bounds.map(\.description) + ["+Inf"], histogram.counts) {
            count += more
            line(metric.name + "_bucket", [("le", bound)], count.description)
        }
        line(metric.name + "_sum", [], histogram.sum.description)
        line(metric.name + "_count", [], count.description)
    }

    private mutating func head(_ metric: MetricName) {
        text += "# HELP \(metric.name) \(metric.help)\n# TYPE \(metric.name) \(metric.kind.rawValue)\n"
    }

    private mutating func line(_ name: String, _ labels: [(String, String)], _ value: String) {
        let list = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
        text += name + (list.isEmpty ? "" : "{\(list)}") + " \(value)\n"
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
