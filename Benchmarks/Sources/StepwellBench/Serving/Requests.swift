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

    private struct Task: Decodable { var state: String }

    /// Waits until each of the tasks is complete.
    func awaitCompletion(of tasks: [String]) throws {
        for task in tasks {
            var state = ""
            while state != "complete" {
                state = try ask(Self.request("GET", "/v1/tasks/\(task)?wait=30s")).decoded(Task.self).state
                guard ["complete", "pending", "in_progress"].contains(state) else {
                    throw OptionError(message: "a task is \(state)")
                }
            }
        }
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
