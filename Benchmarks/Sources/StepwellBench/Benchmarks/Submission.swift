import Foundation

/// Tasks submitted over HTTP, each on disk before its answer.
struct Submission: Benchmark {
    let name = "submit_http"
    let summary = "tasks of 8 steps submitted over HTTP, one a request from 64 clients, and 1,000 a request from 4"

    func run(_ scratch: Scratch, size: Size) async throws -> [Sample] {
        let service = try Service(scratch)
        defer { service.stop() }
        let port = service.port
        let each = size(500, quick: 5)
        let clients = 64
        let times = Times()
        let singles = try ContinuousClock().blockingSeconds {
            try onThreads(clients) { _ in
                let connection = try Connection(port: port)
                let request = Connection.submission(of: "pipeline")
                var own: [Double] = []
                for _ in 0..<each {
                    own.append(
                        try ContinuousClock().blockingSeconds {
                            let answer = try connection.ask(request)
                            guard answer.status == 201 else {
                                throw OptionError(message: "a submission was answered with \(answer.status)")
                            }
                        } * 1000)
                }
                times.add(own)
            }
        }
        let batches = size(10, quick: 1)
        let seconds = try ContinuousClock().blockingSeconds {
            try onThreads(4) { _ in
                let connection = try Connection(port: port)
                for _ in 0..<batches { _ = try connection.submit(1000, of: "pipeline") }
            }
        }
        return [
            Sample("one a request", "tasks/s", Double(clients * each) / singles, moreIsBetter: true),
            Sample("one a request, p50", "ms", times.all.percentile(50), moreIsBetter: false),
            Sample("one a request, p99", "ms", times.all.percentile(99), moreIsBetter: false),
            Sample("1,000 a request", "tasks/s", Double(4000 * batches) / seconds, moreIsBetter: true),
        ]
    }
}

private final class Times: @unchecked Sendable {  // under the lock
    private let lock = NSLock()
    private var values: [Double] = []

    func add(_ more: [Double]) { lock.withLock { values += more } }
    var all: [Double] { lock.withLock { values } }
}
