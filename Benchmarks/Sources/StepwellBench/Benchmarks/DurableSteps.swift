import Stepwell

/// Throughput: many tasks at once, handlers in this process, every commit synced. With the same events written by LMDB alone
/// beside it, the bytes on the disk, and the rates at which the log that came of it folds and verifies.
struct DurableSteps: Benchmark {
    let name = "durable_steps"
    let summary = "8-step tasks, in-process no-op handlers, until all are complete; raw LMDB beside it"

    /// Open at a time: enough that commits never wait for work, few enough to stay a queue.
    private static let openMax = 2048

    func run(_ scratch: Scratch, size: Size) async throws -> [Sample] {
        let tasks = size(20_000, quick: 200)
        let steps = Double(tasks * Workload.pipeline.steps.count)
        var options = EngineOptions()
        options.slots = 256
        let engine = try await Engine.open(scratch.store, options: options)
        engine.register([Workload.noop])
        let seconds = try await ContinuousClock().seconds {
            try await engine.complete(tasks, of: Workload.pipeline, openMax: Self.openMax)
        }
        await engine.stop()

        var folded = 0
        let foldSeconds = try await ContinuousClock().seconds {
            folded = try Replay.fold(store: scratch.store).eventsFolded
        }
        var verified = 0
        let verifySeconds = try await ContinuousClock().seconds {
            verified = try Verification.run(store: scratch.store).events
        }
        let raw = try RawLMDB(store: scratch.store)
        let rawSeconds = try raw.write(to: scratch.path + "/raw")
        return [
            Sample("rate", "steps/s", steps / seconds, moreIsBetter: true),
            Sample("raw LMDB, same events and commits", "steps/s", steps / rawSeconds),
            Sample("engine / raw LMDB", "ratio", rawSeconds / seconds, moreIsBetter: true),
            Sample("events", "events/step", Double(raw.eventCount) / steps),
            Sample("events a commit", "events", Double(raw.eventCount) / Double(raw.commits.count)),
            Sample("event size", "bytes", Double(raw.byteCount) / Double(raw.eventCount)),
            Sample("on disk", "bytes/step", scratch.storeBytes() / steps, moreIsBetter: false),
            Sample("fold of the whole log", "events/s", Double(folded) / foldSeconds, moreIsBetter: true),
            Sample("verify of the whole store", "events/s", Double(verified) / verifySeconds, moreIsBetter: true),
        ]
    }
}
