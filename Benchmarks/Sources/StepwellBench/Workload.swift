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
}

extension Engine {
    /// Submits tasks of a template, so many of them open at a time, and returns when all are complete.
    func complete(_ count: Int, of template: Template, openMax: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                if number >= openMax { try await group.next() }
                group.addTask {
                    let state = try await self.submit(template).settled()
                    guard state == .complete else { throw Unexpected(state: state) }
                }
            }
            try await group.waitForAll()
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
}

extension Duration {
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
