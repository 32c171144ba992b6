import Stepwell

/// Questions of the command line to a store of ten million events, a process for each.
struct LargeStore: Benchmark {
    let name = "large_store"
    let summary = "list, show and events by the release binary on a store of 10 million events, in five rounds"
    let runs: Int? = 1

    private struct Question {
        var name: String
        var words: [String]
        /// Whether the task's id comes after the words.
        var ofTask = false
        /// At least; fewer would mean that the store is not what it should be.
        var lines: Int
    }

    private static let key = "2026-11-24"
    private static let questions = [
        Question(name: "list", words: ["list"], lines: 51),
        Question(name: "list of a state", words: ["list", "--state", "blocked_by_failures"], lines: 11),
        Question(name: "show", words: ["show"], ofTask: true, lines: 9),
        Question(name: "show by key", words: ["show", Self.key], lines: 9),
        Question(name: "events", words: ["events"], ofTask: true, lines: 34),
    ]

    func run(_ scratch: Scratch, size: Size) async throws -> [Sample] {
        // Each has 34 events; those that are not complete come on top.
        let tasks = size(294_000, quick: 3000)
        try scratch.require(bytes: tasks * 8192)
        let program = try Program(store: scratch.store)
        let count = size(100, quick: 2)
        // A hundredth first: what a question takes must not grow with the store.
        var complete = try await fill(scratch, complete: tasks / 100, others: 10, key: Self.key)
        var small: [Double] = []
        for question in Self.questions {
            small.append(try await ask(question, program, complete, count).percentile(50))
        }
        complete += try await fill(scratch, complete: tasks - tasks / 100, others: size(1000, quick: 10))

        var samples: [Sample] = []
        for _ in 0..<size(5, quick: 1) {
            var alone: [Double] = []
            for _ in 0..<count { alone.append(try await program.run(["--version"]).seconds * 1000) }
            samples.append(Sample("a process alone, p50", "ms", alone.percentile(50)))
            for (question, small) in zip(Self.questions, small) {
                let times = try await ask(question, program, complete, count)
                let name = question.name
                samples += [
                    Sample(name + ", p50", "ms", times.percentile(50), moreIsBetter: false),
                    Sample(name + ", p99", "ms", times.percentile(99), moreIsBetter: false),
                    Sample(name + ", p50 to 1/100 store", "ratio", times.percentile(50) / small, moreIsBetter: false),
                ]
            }
        }
        // Last, because each leaves most of the store where it was: on the disk.
        for _ in 0..<size(5, quick: 1) {
            for question in Self.questions {
                try scratch.dropFromMemory()
                let time = try await ask(question, program, complete, 1)[0]
                samples.append(
                    Sample(question.name + ", store not in memory", "ms", time, moreIsBetter: false))
            }
        }
        return samples + [
            Sample("events in the store", "events", Double(try await program.eventCount())),
            Sample("on disk", "MiB", scratch.storeBytes() / 1_048_576),
        ]
    }

    /// Adds complete tasks, one more if there is a key for it, and of those that are half done and of those that have failed so
    /// many each.
    /// - Returns: the complete ones.
    private func fill(_ scratch: Scratch, complete: Int, others: Int, key: String? = nil) async throws -> [TaskID] {
        var options = EngineOptions()
        options.slots = 256
        let engine = try await Engine.open(scratch.store, options: options)
        engine.register([Workload.noop, Workload.fails])
        let tasks = try await engine.complete(complete, of: Workload.pipeline, openMax: 2048)
        if let key { _ = try await engine.submit(Workload.pipeline, key: key).settled() }
        try await engine.complete(others, of: Workload.failing, openMax: 2048, as: .blockedByFailures)
        try await engine.leaveHalfDone(others)
        await engine.stop()
        return tasks
    }

    /// Milliseconds of so many processes with one question, each about another task, from everywhere in the store.
    private func ask(_ question: Question, _ program: Program, _ tasks: [TaskID], _ count: Int) async throws -> [Double]
    {
        var times: [Double] = []
        for number in 0..<count {
            let task = tasks[tasks.count * (2 * number + 1) / (2 * count)].description
            let ended = try await program.run(question.words + (question.ofTask ? [task] : []))
            guard ended.lineCount >= question.lines else { throw ProgramError(question.words, "printed too little") }
            times.append(ended.seconds * 1000)
        }
        return times
    }
}
