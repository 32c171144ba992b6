import Stepwell

/// The shapes of work that are measured, all of handlers that do nothing.
enum Workload {
    /// Three extracts, three transforms, an aggregate, the insights: the shape of the analytics pipeline.
    static let pipeline = Template(
        namespace: "bench", name: "pipeline", version: "1",
        steps: [
            step("extract_sales"), step("extract_inventory"), step("extract_customers"),
            step("transform_sales", [0]), step("transform_inventory", [1]), step("transform_customers", [2]),
            step("aggregate", [3, 4, 5]), step("insights", [6]),
        ])

    /// The same, but what follows the extracts waits for a handler that nobody offers.
    static let halfDone = {
        var template = pipeline
        template.name = "half_done"
        for step in 3..<8 { template.steps[step].handler = .callable("later") }
        return template
    }()

    /// The same, but its first step fails for good.
    static let failing = {
        var template = pipeline
        template.name = "failing"
        template.steps[0].handler = .callable("fails")
        return template
    }()

    static func chain(_ count: Int) -> Template {
        Template(
            namespace: "bench", name: "chain", version: "1",
            steps: (0..<count).map { step("s\($0)", $0 == 0 ? [] : [$0 - 1]) })
    }

    /// So many steps side by side, and one that joins them.
    static func fan(_ count: Int, _ handler: HandlerTemplate = .callable("noop")) -> Template {
        Template(
            namespace: "bench", name: "fan", version: "1",
            steps: (0..<count).map { StepTemplate(name: "s\($0)", handler: handler) }
                + [StepTemplate(name: "join", handler: handler, dependencies: Array(0..<count))])
    }

    static func step(_ name: String, _ dependencies: [Int] = []) -> StepTemplate {
        StepTemplate(name: name, handler: .callable("noop"), dependencies: dependencies)
    }

    static let noop = HandlerFunction("noop") { _ in .success() }
    static let fails = HandlerFunction("fails") { _ in .failure(message: "as always", retryable: false) }
}

extension Engine {
    /// Submits tasks of a template, so many of them open at a time, and returns when all have come to the same end.
    @discardableResult
    func complete(
        _ count: Int, of template: Template, openMax: Int, as end: TaskState = .complete
    ) async throws -> [TaskID] {
        try await withThrowingTaskGroup(of: TaskID.self) { group in
            var tasks: [TaskID] = []
            for number in 0..<count {
                if number >= openMax, let task = try await group.next() { tasks.append(task) }
                group.addTask {
                    let task = try await self.submit(template)
                    let state = try await task.settled()
                    guard state == end else { throw Unexpected(state: state) }
                    return task.id
                }
            }
            for try await task in group { tasks.append(task) }
            return tasks
        }
    }

    /// Submits so many half-done tasks, and returns when no step of them can run any more.
    func leaveHalfDone(_ count: Int) async throws {
        let tasks = try await withThrowingTaskGroup(of: TaskHandle.self) { group in
            for _ in 0..<count { group.addTask { try await self.submit(Workload.halfDone) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for task in tasks {
            while try await task.report().steps.prefix(3).contains(where: { $0.state != .complete }) {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}

struct Unexpected: Error {
    var state: TaskState
}

extension ContinuousClock {
    /// How long the body takes, in seconds.
    func seconds(_ body: () async throws -> Void) async rethrows -> Double {
        let start = now
        try await body()
        return (now - start).seconds
    }

    /// The same for what does not suspend.
    func blockingSeconds(_ body: () throws -> Void) rethrows -> Double {
        let start = now
        try body()
        return (now - start).seconds
    }
}

extension Duration {
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}

extension [Double] {
    /// The least value that so many of a hundred do not exceed.
    func percentile(_ percent: Int) -> Double { sorted()[(count * percent + 99) / 100 - 1] }
}
