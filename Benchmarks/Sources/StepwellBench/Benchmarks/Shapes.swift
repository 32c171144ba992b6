import Stepwell

/// One task, a chain: each step a commit of its own.
struct Chain: Benchmark {
    let name = "chain"
    let summary = "one task, a chain of 1,000 and of 10,000 steps"

    func run(_ scratch: Scratch, size: Size) async throws -> [Sample] {
        try await perStep(Workload.chain, [size(1000, quick: 50), size(10_000, quick: 200)], scratch)
    }
}

/// One task, many steps side by side, and a join.
struct Fan: Benchmark {
    let name = "fan"
    let summary = "one task, 1,000, 10,000 and 100,000 steps side by side, and a join"

    func run(_ scratch: Scratch, size: Size) async throws -> [Sample] {
        let counts = [size(1000, quick: 50), size(10_000, quick: 200), size(100_000, quick: 1000)]
        return try await perStep({ Workload.fan($0) }, counts, scratch)
    }
}

/// Microseconds a step for each number of steps: linear when they are alike.
private func perStep(
    _ template: (Int) -> Template, _ counts: [Int], _ scratch: Scratch
) async throws -> [Sample] {
    var options = EngineOptions()
    options.slots = 256
    let engine = try await Engine.open(scratch.store, options: options)
    engine.register([Workload.noop])
    var samples: [Sample] = []
    for count in counts {
        let template = template(count)
        let seconds = try await ContinuousClock().seconds {
            _ = try await engine.submit(template).settled()
        }
        samples.append(
            Sample("\(count) steps", "µs/step", seconds * 1e6 / Double(template.steps.count), moreIsBetter: false))
    }
    await engine.stop()
    return samples
}
