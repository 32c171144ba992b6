import Foundation
import Stepwell
import Synchronization

/// What `stepwell backup` costs: its own speed beside that of a plain copy of the same file, and what it takes from an engine that
/// works on the store meanwhile.
struct Backup: Benchmark {
    let name = "backup"
    let summary = "'stepwell backup' beside a plain copy, and beside an engine at work, in five rounds"
    let runs: Int? = 1

    func run(_ scratch: Scratch, size: Size) async throws -> [Sample] {
        let tasks = size(100_000, quick: 500)
        let rounds = size(5, quick: 1)
        // It grows while the engine works beside the backups, and a copy stands beside it.
        try scratch.require(bytes: tasks * 8192 * 6)
        let program = try Program(store: scratch.store)
        var options = EngineOptions()
        options.slots = 256
        try await fill(scratch, options, tasks)
        var samples: [Sample] = []
        for _ in 0..<rounds {
            samples += try await speed(scratch, program, suffix: "") {}
            samples += try await speed(
                scratch, program, suffix: ", store not in memory", before: scratch.dropFromMemory)
        }
        let engine = try await Engine.open(scratch.store, options: options)
        samples += try await cost(
            scratch, program, engine, rounds: rounds, window: .milliseconds(size(3000, quick: 300)))
        await engine.stop()
        return samples
    }

    private func fill(_ scratch: Scratch, _ options: EngineOptions, _ tasks: Int) async throws {
        let engine = try await Engine.open(scratch.store, options: options)
        engine.register([Workload.noop])
        try await engine.complete(tasks, of: Workload.pipeline, openMax: 2048)
        await engine.stop()
    }

    // MARK: Alone

    private func speed(
        _ scratch: Scratch, _ program: Program, suffix: String, before prepare: () throws -> Void
    ) async throws -> [Sample] {
        try prepare()
        let copy = scratch.path + "/copy"
        let (copied, copySeconds) = try copyFile(scratch.store + "/data.mdb", to: copy)
        unlink(copy)
        try prepare()
        let (bytes, seconds) = try await backup(scratch, program)
        let rate = Double(bytes) / seconds
        let plainRate = Double(copied) / copySeconds
        return [
            Sample("rate" + suffix, "MB/s", rate / 1e6, moreIsBetter: true),
            Sample("plain copy" + suffix, "MB/s", plainRate / 1e6),
            Sample("backup / plain copy" + suffix, "ratio", rate / plainRate, moreIsBetter: true),
        ]
    }

    /// Makes a backup and removes it.
    private func backup(_ scratch: Scratch, _ program: Program) async throws -> (bytes: Int, seconds: Double) {
        let directory = scratch.path + "/backup"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let ended = try await program.run(["backup", directory])
        var status = stat()
        guard stat(directory + "/data.mdb", &status) == 0 else { throw ProgramError(["backup"], "made nothing") }
        return (Int(status.st_size), ended.seconds)
    }

    /// What the disk can do: reads a file from one end to the other, writes as much beside it, and syncs.
    private func copyFile(_ source: String, to target: String) throws -> (bytes: Int, seconds: Double) {
        let input = open(source, O_RDONLY)
        let output = open(target, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        defer {
            close(input)
            close(output)
        }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var total = 0
        let start = ContinuousClock.now
        while true {
            let count = read(input, &buffer, buffer.count)
            guard count >= 0, write(output, &buffer, count) == count else {
                throw OptionError(message: "copy: \(errno)")
            }
            guard count > 0 else { break }
            total += count
        }
        guard fsync(output) == 0 else { throw OptionError(message: "fsync: \(errno)") }
        return (total, (ContinuousClock.now - start).seconds)
    }

    // MARK: Beside an engine

    /// Time without a backup and time with one after another take turns while tasks go through the engine.
    private func cost(
        _ scratch: Scratch, _ program: Program, _ engine: Engine, rounds: Int, window: Duration
    ) async throws -> [Sample] {
        let work = Work()
        let worker = Task { try await work.run(on: engine, openMax: 2048) }
        defer { work.stop() }
        func rate(_ body: () async throws -> Void) async throws -> Double {
            let before = work.steps
            let seconds = try await ContinuousClock().seconds(body)
            return Double(work.steps - before) / seconds
        }
        var samples: [Sample] = []
        try await Task.sleep(for: window)
        var quiet = try await rate { try await Task.sleep(for: window) }
        for _ in 0..<rounds {
            var backups = 0
            let busy = try await rate {
                let end = ContinuousClock.now + window
                repeat {
                    _ = try await backup(scratch, program)
                    backups += 1
                } while ContinuousClock.now < end
            }
            let after = try await rate { try await Task.sleep(for: window) }
            samples += [
                Sample("engine alone", "steps/s", quiet),
                Sample("engine beside backups", "steps/s", busy, moreIsBetter: true),
                Sample("loss", "ratio", 1 - busy / ((quiet + after) / 2), moreIsBetter: false),
                Sample("backups meanwhile", "backups", Double(backups)),
            ]
            quiet = after
        }
        work.stop()
        try await worker.value
        return samples
    }
}

/// Tasks that go through an engine until somebody says that it is enough.
private final class Work: Sendable {
    private let stepCount = Atomic(0)
    private let isStopping = Atomic(false)

    /// How many steps have run so far.
    var steps: Int { stepCount.load(ordering: .relaxed) }
    func stop() { isStopping.store(true, ordering: .relaxed) }

    func run(on engine: Engine, openMax: Int) async throws {
        let noop = HandlerFunction("noop") { _ in
            self.stepCount.add(1, ordering: .relaxed)
            return .success()
        }
        engine.register([noop])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<openMax {
                group.addTask {
                    while !self.isStopping.load(ordering: .relaxed) {
                        let state = try await engine.submit(Workload.pipeline).settled()
                        guard state == .complete else { throw Unexpected(state: state) }
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
