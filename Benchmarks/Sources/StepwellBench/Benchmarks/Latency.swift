import Stepwell

/// One 8-step task at a time, from before its submission until after its last step.
struct Latency: Benchmark {
    let name = "latency"
    let summary = "one 8-step, 4-level task at a time, submit to complete, every commit synced"

    func run(_ scratch: Scratch, size: Size) async throws -> [Sample] {
        let engine = try await Engine.open(scratch.store)
        engine.register([Workload.noop])
        let tasks = size(500, quick: 20)
        try await engine.complete(tasks / 10, of: Workload.pipeline, openMax: 1)
        var milliseconds: [Double] = []
        for _ in 0..<tasks {
            let seconds = try await ContinuousClock().seconds {
                _ = try await engine.submit(Workload.pipeline).settled()
            }
            milliseconds.append(seconds * 1000)
        }
        await engine.stop()
        milliseconds.sort()
        let raw = try RawLMDB(store: scratch.store)
        let rawSeconds = try raw.write(to: scratch.path + "/raw")
        let commitsEach = Double(raw.commits.count) / Double(tasks + tasks / 10)
        return [
            Sample("p50", "ms", milliseconds[tasks / 2], moreIsBetter: false),
            Sample("p99", "ms", milliseconds[tasks * 99 / 100], moreIsBetter: false),
            Sample("max", "ms", milliseconds[tasks - 1], moreIsBetter: false),
            Sample("commits a task", "commits", commitsEach),
            Sample("raw LMDB, same commits", "ms/task", rawSeconds * 1000 / Double(tasks + tasks / 10)),
        ]
    }
}
