import Foundation

/// Steps run by one worker that came over HTTP.
struct RemoteSteps: Benchmark {
    let sdk: String

    var name: String { "remote_steps_\(sdk)" }
    var summary: String { "8-step tasks over HTTP, one \(sdk) worker process elsewhere; and one task alone" }

    func run(_ scratch: Scratch, size: Size) async throws -> [Sample] {
        let service = try Service(scratch)
        defer { service.stop() }
        let worker = try RemoteWorker(sdk, port: service.port, concurrency: 256, size: size)
        defer { worker.stop() }
        let connection = try Connection(port: service.port)
        // The first tasks find everything cold.
        _ = try connection.submit(size(200, quick: 2), of: "pipeline")
        try connection.awaitCompletion()

        let request = Connection.submission(of: "pipeline", wait: true)
        var times: [Double] = []
        for _ in 0..<size(200, quick: 2) {
            times.append(try ContinuousClock().blockingSeconds { _ = try connection.ask(request) } * 1000)
        }
        let tasks = size(5000, quick: 10)
        let seconds = try ContinuousClock().blockingSeconds {
            _ = try connection.submit(tasks, of: "pipeline")
            try connection.awaitCompletion()
        }
        return [
            Sample("rate", "steps/s", Double(tasks * Service.pipelineSteps) / seconds, moreIsBetter: true),
            Sample("one task alone, p50", "ms", times.percentile(50), moreIsBetter: false),
            Sample("one task alone, p99", "ms", times.percentile(99), moreIsBetter: false),
        ]
    }
}
