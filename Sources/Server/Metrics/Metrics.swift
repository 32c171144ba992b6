import StepwellLog
package import StepwellModel
import Synchronization

/// What the service counts of itself since it began. The engine's thread takes one short lock for each commit.
package final class Metrics: Sendable {
    /// An address, as its route has it, and what was answered there.
    struct Answered: Hashable, Comparable, Sendable {
        var method: String
        var path: String
        var status: Int

        static func < (left: Answered, right: Answered) -> Bool {
            (left.method, left.path, left.status) < (right.method, right.path, right.status)
        }
    }

    /// What is counted.
    struct Counts: Sendable {
        var events: [EventType: UInt64] = [:]
        var commitSeconds = Histogram(bounds: [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1])
        var commitEvents = Histogram(bounds: [1, 2, 5, 10, 20, 50, 100, 500, 2000])
    }

    /// What is counted of requests, under a lock of its own: the engine never waits for it.
    struct Requests: Sendable {
        var answered: [Answered: UInt64] = [:]
        var seconds = Histogram(bounds: [0.001, 0.002_5, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30])
    }

    private let counts = Mutex(Counts())
    private let requests = Mutex(Requests())
    private let connections = Mutex<@Sendable () -> Int>({ 0 })
    /// Streams of events that are open.
    let streams = Atomic<Int>(0)
    /// Files of the folder of templates that are at fault.
    package let templateFaults = Gauge()

    package init() {}

    /// Events that are on disk now.
    package func committed(_ records: [EventRecord]) {
        counts.withLock { counts in
            for record in records { counts.events[record.event.type, default: 0] += 1 }
        }
    }

    package func commit(nanoseconds: Int64, events: Int) {
        counts.withLock { counts in
            counts.commitSeconds.observe(Double(nanoseconds) / 1e9)
            counts.commitEvents.observe(Double(events))
        }
    }

    /// A request was answered.
    /// - Parameter path: that of the route; empty when there is none, so that nobody can make names here.
    func answered(_ method: String, _ path: String, status: Int, nanoseconds: Int64) {
        let key = Answered(method: path.isEmpty ? "" : method, path: path, status: status)
        requests.withLock { requests in
            requests.answered[key, default: 0] += 1
            requests.seconds.observe(Double(nanoseconds) / 1e9)
        }
    }

    /// Says how open connections are counted.
    func countConnections(_ count: @escaping @Sendable () -> Int) {
        connections.withLock { $0 = count }
    }

    var connectionCount: Int { connections.withLock { $0 }() }
    var streamCount: Int { streams.load(ordering: .relaxed) }
    var currentCounts: Counts { counts.withLock { $0 } }
    var currentRequests: Requests { requests.withLock { $0 } }
}

/// How often something was at most so large, and the sum of all.
struct Histogram: Sendable {
    let bounds: [Double]
    /// One for each bound, and one for what is larger than all.
    private(set) var counts: [UInt64]
    private(set) var sum = 0.0

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    mutating func observe(_ value: Double) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }
}

/// A number that somebody keeps up to date.
package final class Gauge: Sendable {
    private let number = Atomic<Int>(0)

    package init() {}

    var value: Int { number.load(ordering: .relaxed) }
    func set(_ value: Int) { number.store(value, ordering: .relaxed) }
}
