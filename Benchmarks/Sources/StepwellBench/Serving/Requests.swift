import Foundation

/// Requests that benchmarks make.
extension Connection {
    private struct Batch: Decodable {
        struct Task: Decodable { var task_id: String }
        var tasks: [Task]
    }

    static func batch(_ count: Int, of name: String) -> [UInt8] {
        let task = #"{"name":"\#(name)","namespace":"bench","context":{"day":"2026-11-30"}}"#
        let tasks = repeatElement(task, count: count).joined(separator: ",")
        return request("POST", "/v1/tasks/batch", #"{"tasks":[\#(tasks)]}"#)
    }

    static func submission(of name: String, wait: Bool = false) -> [UInt8] {
        request(
            "POST", "/v1/tasks" + (wait ? "?wait=30s" : ""),
            #"{"name":"\#(name)","namespace":"bench","context":{"day":"2026-11-30"}}"#)
    }

    /// Submits so many tasks in one request.
    /// - Returns: their ids.
    func submit(_ count: Int, of name: String) throws -> [String] {
        try ask(Self.batch(count, of: name)).decoded(Batch.self).tasks.map(\.task_id)
    }

    private struct Page: Decodable {
        struct Task: Decodable {}
        var tasks: [Task]
    }

    /// Waits until no task is open, and sees to it that all are complete. It asks little: what is read of tasks would be taken from those
    /// who run them.
    func awaitCompletion() throws {
        for state in ["pending", "in_progress"] {
            while try has(state) { usleep(5000) }
        }
        guard try !has("pending"), try !has("in_progress") else { return try awaitCompletion() }
        guard try !has("blocked_by_failures") else { throw OptionError(message: "a task has failed") }
    }

    private func has(_ state: String) throws -> Bool {
        try !ask(Self.request("GET", "/v1/tasks?limit=1&state=\(state)")).decoded(Page.self).tasks.isEmpty
    }

    private struct Workers: Decodable {
        struct Worker: Decodable {}
        var workers: [Worker]
    }

    func workerCount() throws -> Int {
        try ask(Self.request("GET", "/v1/workers")).decoded(Workers.self).workers.count
    }
}

/// Runs the body on so many threads, and returns when all have ended.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    let failures = Failures()
    let group = DispatchGroup()
    for number in 0..<count {
        group.enter()
        Thread.detachNewThread {
            do { try body(number) } catch { failures.add(error) }
            group.leave()
        }
    }
    group.wait()
    if let first = failures.first { throw first }
}

private final class Failures: @unchecked Sendable {  // under the lock
    private let lock = NSLock()
    private var all: [any Error] = []

    func add(_ error: any Error) { lock.withLock { all.append(error) } }
    var first: (any Error)? { lock.withLock { all.first } }
}
