import Stepwell
import Synchronization

/// Opening a store with many finished tasks and some open ones.
struct Recovery: Benchmark {
    let name = "recovery"
    let summary = "opening a store with 100,000 finished and 1,000 open tasks, five times"
    let runs: Int? = 1

    func run(_ scratch: Scratch, size: Size) async throws -> [Sample] {
        let open = size(1000, quick: 10)
        var options = EngineOptions()
        options.slots = 256
        let first = try await Engine.open(scratch.store, options: options)
        first.register([Workload.noop])
        try await first.complete(size(100_000, quick: 100), of: Workload.pipeline, openMax: 2048)
        // Half done: what is open waits for a handler that nobody offers.
        var halfDone = Workload.pipeline
        halfDone.name = "half_done"
        for step in 3..<8 { halfDone.steps[step].handler = .callable("later") }
        let tasks = try await withThrowingTaskGroup(of: TaskHandle.self) { [halfDone] group in
            for _ in 0..<open { group.addTask { try await first.submit(halfDone) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for task in tasks {
            while try await task.isUnfinished(first: 3) { try await Task.sleep(for: .milliseconds(20)) }
        }
        await first.stop()

        var samples: [Sample] = []
        for _ in 0..<size(5, quick: 1) {
            let start = ContinuousClock.now
            let engine = try await Engine.open(scratch.store)
            let opened = ContinuousClock.now
            let (calls, call) = AsyncStream.makeStream(of: Void.self)
            engine.register([
                HandlerFunction("later") { context in
                    call.yield(())
                    // Never done: the next opening is to find the same.
                    try await Task.sleep(for: .seconds(3600))
                    return .success()
                }
            ])
            _ = await calls.first { _ in true }
            let dispatched = ContinuousClock.now
            guard engine.recovery.tasksOpen == open else { throw Unexpected(state: .pending) }
            samples.append(Sample("opened", "ms", (opened - start).seconds * 1000, moreIsBetter: false))
            samples.append(Sample("first attempt runs", "ms", (dispatched - start).seconds * 1000, moreIsBetter: false))
            samples.append(Sample("events folded", "events", Double(engine.recovery.eventsFolded)))
            await engine.stop(grace: .zero)
        }
        return samples
    }
}

extension TaskHandle {
    fileprivate func isUnfinished(first count: Int) async throws -> Bool {
        try await report().steps.prefix(count).contains { $0.state != .complete }
    }
}
