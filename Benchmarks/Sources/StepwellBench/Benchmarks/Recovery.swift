import Foundation
import Stepwell

/// Opening a store with many finished tasks and some open ones.
struct Recovery: Benchmark {
    let name: String
    let finished: Int
    var summary: String { "opening a store with \(finished.formatted()) finished and 1,000 open tasks, five times" }
    let runs: Int? = 1

    func run(_ scratch: Scratch, size: Size) async throws -> [Sample] {
        let open = size(1000, quick: 10)
        let finished = size(finished, quick: 100)
        try scratch.require(bytes: finished * 8192)
        try await fill(scratch, finished: finished, open: open)
        var samples: [Sample] = []
        for _ in 0..<size(5, quick: 1) {
            samples += try await reopen(scratch, open: open, suffix: "")
            // As after a start of the machine.
            try scratch.dropFromMemory()
            samples += try await reopen(scratch, open: open, suffix: ", store not in memory")
        }
        return samples + [Sample("on disk", "MiB", scratch.storeBytes() / 1_048_576)]
    }

    private func fill(_ scratch: Scratch, finished: Int, open: Int) async throws {
        var options = EngineOptions()
        options.slots = 256
        let engine = try await Engine.open(scratch.store, options: options)
        engine.register([Workload.noop])
        try await engine.complete(finished, of: Workload.pipeline, openMax: 2048)
        try await engine.leaveHalfDone(open)
        await engine.stop()
    }

    private func reopen(_ scratch: Scratch, open: Int, suffix: String) async throws -> [Sample] {
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
        await engine.stop(grace: .zero)
        return [
            Sample("opened" + suffix, "ms", (opened - start).seconds * 1000, moreIsBetter: false),
            Sample("first attempt runs" + suffix, "ms", (dispatched - start).seconds * 1000, moreIsBetter: false),
            Sample("events folded" + suffix, "events", Double(engine.recovery.eventsFolded)),
        ]
    }
}
