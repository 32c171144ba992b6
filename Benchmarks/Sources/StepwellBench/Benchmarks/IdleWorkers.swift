import Foundation

/// Many workers who wait for work, and get some.
struct IdleWorkers: Benchmark {
    let name = "idle_workers"
    let summary = "10,000 workers that wait in long polls, and then 500 tasks of one step for them"

    private struct Welcome: Decodable { var worker_id: String }
    private struct Answer: Decodable {
        struct Message: Decodable {
            var type: String
            var lease: Int?
        }
        var number: Int
        var messages: [Message]
    }

    private struct Worker {
        var connection: Connection
        var id: String
        var after = 0

        func poll() throws {
            try connection.send(
                Connection.request(
                    "POST", "/v1/workers/\(id)/poll", #"{"after":\#(after),"wait_ms":60000,"attempts_max":1}"#))
        }
    }

    func run(_ scratch: Scratch, size: Size) async throws -> [Sample] {
        let service = try Service(scratch)
        defer { service.stop() }
        let hello = Connection.request(
            "POST", "/v1/workers", #"{"type":"hello","protocol":1,"handlers":[{"name":"large"}],"concurrency":1}"#)
        var workers: [Int32: Worker] = [:]
        let count = size(10_000, quick: 20)
        let before = service.anonymousBytes
        let seconds = try ContinuousClock().blockingSeconds {
            for _ in 0..<count {
                let connection = try Connection(port: service.port)
                let id = try connection.ask(hello).decoded(Welcome.self).worker_id
                let worker = Worker(connection: connection, id: id)
                try worker.poll()
                workers[connection.descriptor] = worker
            }
        }
        let memory = service.anonymousBytes
        let tasks = size(500, quick: 5)
        let port = service.port
        let background = Background {
            let client = try Connection(port: port)
            let request = Connection.submission(of: "single", wait: true)
            return try (0..<tasks).map { _ in
                try ContinuousClock().blockingSeconds { _ = try client.ask(request) } * 1000
            }
        }
        let watch = try Watch(workers.keys)
        var times: [Double]?
        while times == nil {
            times = try background.result?.get()
            for descriptor in watch.readable() {
                guard var worker = workers[descriptor], try worker.connection.receive() else {
                    throw OptionError(message: "a worker was hung up on")
                }
                while let raw = worker.connection.takeAnswer() {
                    // The answer to a delivery has no number.
                    guard let answer = try? raw.decoded(Answer.self) else { continue }
                    worker.after = answer.number
                    let results = answer.messages.filter { $0.type == "attempt" }
                        .map { #"{"type":"result","lease":\#($0.lease ?? 0),"result":null}"# }
                    if !results.isEmpty {
                        let number = answer.number
                        try worker.connection.send(
                            Connection.request(
                                "POST", "/v1/workers/\(worker.id)/messages",
                                #"{"number":\#(number),"messages":[\#(results.joined(separator: ","))]}"#))
                    }
                    try worker.poll()
                }
                workers[descriptor] = worker
            }
        }
        return [
            Sample("memory of the server", "MiB", memory / 1_048_576, moreIsBetter: false),
            Sample("memory of a worker", "KiB", (memory - before) / 1024 / Double(count), moreIsBetter: false),
            Sample("registered", "workers/s", Double(count) / seconds, moreIsBetter: true),
            Sample("a task of one step for one of them, p50", "ms", times?.percentile(50) ?? 0, moreIsBetter: false),
            Sample("a task of one step for one of them, p99", "ms", times?.percentile(99) ?? 0, moreIsBetter: false),
        ]
    }
}
