import Foundation

/// Many who follow the events, each with a stream of its own, each of whom must get every event once.
struct Subscribers: Benchmark {
    let name = "subscribers"
    let summary = "1,000 streams of events beside a Rust worker that runs tasks of 8 steps"

    private struct Stream {
        var connection: Connection
        var counter = EventCounter()
    }

    func run(_ scratch: Scratch, size: Size) async throws -> [Sample] {
        let service = try Service(scratch)
        defer { service.stop() }
        let worker = try RemoteWorker("rust", port: service.port, concurrency: 256, size: size)
        defer { worker.stop() }
        let tasks = size(50, quick: 2)
        let port = service.port
        let work: @Sendable () throws -> Double = {
            let client = try Connection(port: port)
            return try ContinuousClock().blockingSeconds {
                _ = try client.submit(tasks, of: "pipeline")
                try client.awaitCompletion()
            }
        }
        _ = try work()
        let alone = try work()

        let program = try Program(store: scratch.store)
        let last = try await program.eventCount()
        let before = service.anonymousBytes
        var streams = try open(size(1000, quick: 10), after: last, port)
        let watch = try Watch(streams.keys)
        let memory = service.anonymousBytes - before
        let start = ContinuousClock.now
        let background = Background(work)
        var beside: Double?
        var expected = Int.max
        while beside == nil || streams.values.contains(where: { $0.counter.count < expected }) {
            if beside == nil, let ended = background.result {
                beside = try ended.get()
                expected = try await program.eventCount() - last
            }
            guard (ContinuousClock.now - start).seconds < 120 else {
                throw OptionError(message: "the streams do not get all events")
            }
            for descriptor in watch.readable() {
                guard try streams[descriptor]?.connection.receive() == true else {
                    throw OptionError(message: "a stream has ended")
                }
                if let bytes = streams[descriptor]?.connection.takeBytes() { streams[descriptor]?.counter.take(bytes) }
            }
        }
        let seconds = (ContinuousClock.now - start).seconds
        guard streams.values.allSatisfy({ $0.counter.count == expected }) else {
            throw OptionError(message: "a stream has got an event twice")
        }
        return [
            Sample("delivered", "events/s", Double(streams.count * expected) / seconds, moreIsBetter: true),
            Sample("rate of the worker, to that without streams", "ratio", alone / (beside ?? .infinity)),
            Sample("memory of a stream", "KiB", memory / 1024 / Double(streams.count), moreIsBetter: false),
        ]
    }

    private func open(_ count: Int, after last: Int, _ port: Int) throws -> [Int32: Stream] {
        var streams: [Int32: Stream] = [:]
        for _ in 0..<count {
            let connection = try Connection(port: port)
            let head = "GET /v1/events/stream HTTP/1.1\r\nHost: bench\r\nLast-Event-ID: \(last)\r\n\r\n"
            try connection.send(Array(head.utf8))
            streams[connection.descriptor] = Stream(connection: connection)
        }
        // Each says something when it has begun.
        for stream in streams.values { _ = try stream.connection.receive() }
        return streams
    }
}
