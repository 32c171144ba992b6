import StepwellWorker
import Synchronization
import Testing

private let yaml = """
    name: prices
    namespace_name: shop
    version: 1.0.0
    steps:
      - { name: fetch, handler: { callable: fetch } }
      - { name: add, handler: { callable: add }, dependencies: [fetch], retry: { max_attempts: 1 } }
    """

/// A client, a server and a worker in one process.
@Suite("The client, beside a server")
struct ClientTests {
    private static func handlers() -> [HandlerFunction] {
        [
            HandlerFunction("fetch") { context in
                .success(["prices": [3, 4], "currency": try await context.input()["currency"] ?? "USD"])
            },
            HandlerFunction("add") { context in
                let prices = try await context.dependencyResult("fetch")?["prices"]?.array ?? []
                return .success(["sum": .number("\(prices.compactMap(\.int).reduce(0, +))")])
            },
        ]
    }

    @Test func aTaskFromItsSubmissionToItsEnd() async throws {
        try await withWorker(Self.handlers()) { client in
            #expect(try await client.health()["status"] == "ready")
            let template = try await client.putTemplate(yaml)
            #expect(try await client.templates() == [template])
            #expect(template.namespace == "shop" && template.name == "prices" && template.version == "1.0.0")

            let task = try await client.createTask(
                name: "prices", namespace: "shop", context: ["currency": "EUR"], priority: 3, tags: ["a", "b"],
                idempotencyKey: "2026/11 24", reason: "because")
            #expect(task.idempotencyKey == "2026/11 24" && task.priority == 3 && task.submitted != nil)
            let done = try await client.wait("2026/11 24", timeout: .seconds(60))
            #expect(done.isComplete && done.isSettled && done.id == task.id && done.taskUUID == done.id)
            #expect(done.status == "complete" && done.input == ["currency": "EUR"] && done.completed != nil)
            #expect(done.steps.map(\.name) == ["fetch", "add"] && done.result("add") == ["sum": 7])
            #expect(try done["add"]?.result(as: [String: Int].self) == ["sum": 7])
            #expect(done["none"] == nil && done.result("none") == nil)

            #expect(try await client.taskSteps(task.id).map(\.attempts) == [1, 1])
            let step = try await client.step("last", "fetch")
            #expect(step.name == "fetch" && step.state == "complete" && step.maxAttempts == 3 && step.started != nil)
            let history = try await client.stepAuditHistory(task.id, "add")
            #expect(history.last?["type"]?.string?.hasSuffix("step.completed") == true)
        }
    }

    @Test func theSameKeyIsTheSameTask() async throws {
        try await withWorker(Self.handlers()) { client in
            try await client.putTemplate(yaml)
            var wish = NewTask(name: "prices", namespace: "shop", idempotencyKey: "k")
            let first = try await client.createTask(wish)
            #expect(try await client.createTask(wish).id == first.id)
            let both = try await client.createTasks([wish, NewTask(name: "prices", namespace: "shop")])
            #expect(both[0].id == first.id && !both[0].isNew && both[1].isNew)
            wish.replace = true
            #expect(try await client.createTask(wish).id != first.id)
        }
    }

    @Test func listsComeInPages() async throws {
        try await withServer { url in
            let client = try Client(url: url)
            try await client.putTemplate(yaml)
            let created = try await client.createTasks(
                (1...5).map { NewTask(name: "prices", namespace: "shop", idempotencyKey: "k\($0)") })
            let page = try await client.tasks(namespace: "shop", limit: 3)
            #expect(page.tasks.count == 3 && page.next != nil)
            let rest = try await client.tasks(namespace: "shop", cursor: page.next, limit: 3)
            #expect(rest.tasks.count == 2 && rest.next == nil)
            #expect(Set((page.tasks + rest.tasks).map(\.id)) == Set(created.map(\.id)))
            #expect(try await client.tasks(state: "complete").tasks.isEmpty)
            #expect(try await client.tasks(name: "prices", idempotencyKey: "k2").tasks.map(\.id) == [created[1].id])
            var found: [String] = []
            for try await task in client.allTasks(namespace: "shop", name: "prices") { found.append(task.taskUUID) }
            #expect(Set(found) == Set(created.map(\.id)))
            #expect(
                page.tasks[0].steps == 2 && page.tasks[0].stepsDone == 0 && page.tasks[0].status == page.tasks[0].state)
        }
    }

    @Test func pauseAndResumeAndCancel() async throws {
        try await withServer { url in
            let client = try Client(url: url)
            try await client.putTemplate(yaml)
            let task = try await client.createTask(name: "prices", namespace: "shop")
            #expect(!task.isSettled)
            let paused = try await client.pauseTask(task.id, reason: "lunch")
            #expect(paused.state == "paused" && paused.isSettled && paused.json["paused"]?["reason"] == "lunch")
            #expect(try await client.resumeTask(task.id).state != "paused")
            await #expect {
                _ = try await client.wait(task.id, timeout: .milliseconds(50))
            } throws: { error in
                guard let error = error as? ClientError, case .notSettled(let found, _) = error else { return false }
                return error.code == "wait_timeout" && found.id == task.id
            }
            #expect(try await client.cancelTask(task.id, reason: "enough").state == "cancelled")
            await #expect { try await client.cancelTask(task.id) } throws: { ($0 as? ClientError)?.status == 409 }
        }
    }

    @Test func aFailedStepIsRetriedOrResolved() async throws {
        let isBroken = Flag()
        let add = HandlerFunction("add") { _ in
            if isBroken.value.withLock({ $0 }) {
                throw Failure(message: "no", errorType: "validation_error", errorCode: "E1", retryable: false)
            }
            return .success(["sum": 1])
        }
        try await withWorker([Self.handlers()[0], add]) { client in
            try await client.putTemplate(yaml)
            let task = try await client.createTask(name: "prices", namespace: "shop")
            let blocked = try await client.wait(task.id)
            #expect(blocked.state == "blocked_by_failures" && !blocked.isComplete)
            let failure = try #require(blocked["add"]?.failure)
            #expect(failure.message == "no" && failure.errorType == "validation_error" && failure.errorCode == "E1")
            #expect(!failure.retryable)

            isBroken.value.withLock { $0 = false }
            try await client.retryTask(task.id, steps: ["add"], reason: "mended")
            #expect(try await client.wait(task.id).result("add") == ["sum": 1])

            isBroken.value.withLock { $0 = true }
            let other = try await client.createTask(name: "prices", namespace: "shop")
            _ = try await client.wait(other.id)
            let resolved = try await client.resolveStep(other.id, "add", result: ["sum": 9], reason: "by hand")
            #expect(resolved["add"]?.state == "resolved_manually" && resolved.result("add") == ["sum": 9])
        }
    }

    @Test func refusalsHaveTheServersCodes() async throws {
        try await withServer { url in
            let client = try Client(url: url)
            let error = await #expect(throws: ClientError.self) { _ = try await client.task("no such/task") }
            #expect(error?.code == "unknown_task" && error?.status == 404 && error?.cure?.isEmpty == false)
            #expect("\(error!)".contains("[unknown_task]"))
            let other = await #expect(throws: ClientError.self) { try await client.createTask(name: "none") }
            #expect(other?.code == "unknown_template")
        }
    }
}

private final class Flag: Sendable { let value = Mutex(true) }
