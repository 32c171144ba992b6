import Foundation
import Stepwell

/// What an open task takes in memory.
struct OpenTasks: Benchmark {
    let name = "open_tasks"
    let summary = "memory of open 8-step tasks that wait for a worker"

    func run(_ scratch: Scratch, size: Size) async throws -> [Sample] {
        let tasks = size(50_000, quick: 500)
        let engine = try await Engine.open(scratch.store)
        // Whatever is allotted once is allotted by these.
        for _ in 0..<100 { try await engine.submit(Workload.pipeline) }
        let before = anonymousBytes()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<tasks {
                if number >= 64 { try await group.next() }
                group.addTask { try await engine.submit(Workload.pipeline) }
            }
            try await group.waitForAll()
        }
        let after = anonymousBytes()
        await engine.stop(grace: .zero)
        return [Sample("memory", "bytes/task", (after - before) / Double(tasks), moreIsBetter: false)]
    }

    /// The process's memory that no file stands behind: the store's map does not count.
    private func anonymousBytes() -> Double {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") } ?? ""
        return Double(line.split(whereSeparator: \.isWhitespace).dropFirst().first ?? "0")! * 1024
    }
}
