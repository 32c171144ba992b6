import StepwellWorker
import Synchronization
import Testing

private let yaml = """
    name: prices
    namespace_name: shop
    version: 1.0.0
    steps:
      - { name: fetch, handler: { callable: fetch } }
      - { name: add, handler: { callable: add }, dependencies: [fetch] }
    """

/// What an operator's program asks and says, of a server in the same process.
@Suite("The client of an operator, beside a server")
struct OperationsTests {
    @Test func limitsAreSetAndRemoved() async throws {
        try await withServer { url in
            let client = try Client(url: url)
            let limit = try await client.setLimit(
                .handler, "a/ü", concurrencyMax: 4, rate: "100/min", burst: 20, reason: "asked for")
            #expect(limit.target == LimitTarget(.handler, "a/ü") && limit.concurrencyMax == 4 && limit.burst == 20)
            #expect(limit.rate == "100/min" && limit.reason == "asked for" && limit.set != nil && limit.due == nil)
            #expect(try await client.limits().map(\.target) == [limit.target])
            #expect(try await client.setLimit(.namespace, "shop", concurrencyMax: 0).rate == nil)
            #expect(try await client.limit(.handler, "a/ü").waiting == 0)
            try await client.removeLimit(.handler, "a/ü", reason: "no more")
            let error = await #expect(throws: ClientError.self) { _ = try await client.limit(.handler, "a/ü") }
            #expect(error?.code == "unknown_limit")
            let again = await #expect(throws: ClientError.self) { try await client.removeLimit(.handler, "a/ü") }
            #expect(again?.code == "unknown_limit")
        }
    }

    @Test func webhooksComeAndGo() async throws {
        try await withServer { url in
            let client = try Client(url: url)
            let webhook = try await client.createWebhook(
                "http://127.0.0.1:9/x", types: ["task.blocked"], namespaces: ["shop"], after: 0, disableAfter: 60)
            #expect(webhook.types == ["task.blocked"] && webhook.namespaces == ["shop"] && webhook.tasks.isEmpty)
            #expect(webhook.state == "active" && webhook.created != nil && webhook.json["disable_after_s"]?.int == 60)
            #expect(try await client.webhooks().map(\.id) == [webhook.id])
            #expect(try await client.webhook(webhook.id).url == webhook.url)
            #expect(try await client.enableWebhook(webhook.id).id == webhook.id)
            #expect(try await client.enableWebhook(webhook.id, after: 1).id == webhook.id)
            #expect(try await client.removeWebhook(webhook.id).id == webhook.id)
            #expect(try await client.webhooks().isEmpty)
        }
    }

    @Test func templatesAreShownDrawnAndChecked() async throws {
        try await withServer { url in
            let client = try Client(url: url)
            try await client.putTemplate(yaml)
            #expect(try await client.template("shop", "prices", version: "1.0.0")["steps"]?.members?.count == 2)
            #expect(try await client.drawTemplate("shop", "prices").hasPrefix("fetch\n"))
            #expect(try await client.drawTemplate("shop", "prices", format: .mermaid).hasPrefix("graph TD"))
            #expect(try await client.validateTemplate(yaml).isValid)
            let bad = try await client.validateTemplate("name: ü")
            #expect(!bad.isValid && bad.findings[0].severity == "error" && bad.findings[0].line == 1)
            let error = await #expect(throws: ClientError.self) { _ = try await client.drawTemplate("shop", "none") }
            #expect(error?.code == "unknown_template")
        }
    }

    @Test func thePastAndWhatWouldBe() async throws {
        try await withServer { url in
            let client = try Client(url: url)
            try await client.putTemplate(yaml)
            let task = try await client.createTask(name: "prices", namespace: "shop", context: ["n": 4])
            #expect(try await client.planTask(task.id).later == ["add"])
            try await client.resolveStep(task.id, "fetch", result: [5])
            let plan = try await client.planFork(task.id, from: "add", input: ["n": 5], results: ["fetch": 7])
            #expect(plan.replaced == ["fetch"] && plan.next == ["add"])
            let fork = try await client.forkTask(task.id, from: "add", reason: "once more")
            #expect(fork.id != task.id && fork.result("fetch") == [5])
            #expect(try await client.diffTasks(task.id, task.id).isAlike)
            #expect(try await !client.diffTasks(task.id, fork.id).isAlike)
            let explanation = try await client.explainTask(task.id, step: "add")
            #expect(explanation.taskID == task.id && explanation.sentences[0].contains("add"))
            #expect(try await client.drawTask(task.id).contains("add"))
            #expect(try await client.exportTask(task.id, redacting: ["/n"]).contains(task.id))
            let page = try await client.events(task.id, limit: 1)
            #expect(page.events.map { $0["type"]?.string } == ["task.submitted"])
            #expect(
                try await client.events(after: page.nextAfter).events.first?["seq"]?.int == Int64(page.nextAfter + 1))
            #expect(try await client.logLines(task.id, step: "fetch").lines.isEmpty)
        }
    }

    @Test func logLinesComeInPages() async throws {
        let fetch = HandlerFunction("fetch") { context in
            for number in 1...3 { context.log.info("line \(number)") }
            return .success([])
        }
        try await withWorker([fetch, HandlerFunction("add") { _ in .success([]) }]) { client in
            try await client.putTemplate(yaml)
            let task = try await client.createTask(name: "prices", namespace: "shop")
            _ = try await client.wait(task.id, timeout: .seconds(60))
            let page = try await client.logLines(task.id, step: "fetch", limit: 2)
            #expect(page.lines.map(\.text) == ["line 1", "line 2"] && page.next != nil)
            let rest = try await client.logLines(task.id, step: "fetch", cursor: page.next)
            #expect(rest.lines.map(\.text) == ["line 3"] && rest.next == nil)
            var texts: [String] = []
            for try await line in client.allLogLines(task.id) {
                texts.append("\(line.step) \(line.attempt) \(line.text)")
            }
            #expect(texts == ["fetch 1 line 1", "fetch 1 line 2", "fetch 1 line 3"])

            let workers = try await client.workers()
            let worker = try #require(workers.first { $0.id != nil })
            #expect(worker.handlers.sorted() == ["add", "fetch"] && worker.concurrency == 4 && worker.running == 0)
            try await client.drainWorker(worker.id ?? "")
        }
    }

    @Test func manyTasksAtOnceAndPruning() async throws {
        try await withServer { url in
            let client = try Client(url: url)
            try await client.putTemplate(yaml)
            let created = try await client.createTasks((1...3).map { _ in NewTask(name: "prices", namespace: "shop") })
            let dry = try await client.actOnTasks(.pause, dryRun: true)
            #expect(dry.isDryRun && dry.tasks.count == 3 && dry.tasks.allSatisfy { !$0.isDone && $0.code == nil })
            let refused = try await client.actOnTasks(.retry, namespace: "shop", name: "prices", limit: 1)
            #expect(refused.tasks.map(\.code) == ["nothing_to_retry"])
            let done = try await client.actOnTasks(.cancel, state: "pending", reason: "enough")
            #expect(Set(done.tasks.filter(\.isDone).map(\.taskID)) == Set(created.map(\.id)))

            let end = try #require(Timestamp("2100-01-01"))
            #expect(try await client.pruneTasks(before: .zero).tasks == 0)
            let would = try await client.pruneTasks(before: end, dryRun: true)
            #expect(would.isDryRun && would.tasks == 3 && would.events > 3)
            #expect(try await client.pruneTasks(before: end, tasks: [created[0].id], reason: "a test").tasks == 1)
            #expect(try await client.pruneTasks(before: end).tasks == 2)
        }
    }

    @Test func theServerTellsHowItIs() async throws {
        try await withServer { url in
            let client = try Client(url: url)
            #expect(try await client.release(reason: "sound") == false)
            #expect(try await client.health()["held"] == false)
            let counts = try await client.statistics()
            #expect(counts.events > 0 && counts.commits > 0 && !counts.storeID.isEmpty)
            #expect(try await client.metrics().contains("stepwell_"))
            #expect(try await client.state()["tasks"]?.array == [])
            #expect(try await client.state(at: "1")["seq"]?.int == 1)
            let error = await #expect(throws: ClientError.self) { try await client.drainWorker("nobody") }
            #expect(error?.code == "unknown_worker")
        }
    }

    @Test func onlyWhatChangesNothingIsSentAgain() async throws {
        let bulk = ScriptedServer.answer(200, #"{"dry_run":true,"tasks":[]}"#)
        for (dryRun, count) in [(false, 1), (true, 2)] {
            let server = ScriptedServer([nil, bulk])
            defer { server.stop() }
            let client = try Client(url: server.url)
            do {
                try await client.actOnTasks(.pause, dryRun: dryRun)
                #expect(dryRun)
            } catch let error as ClientError {
                #expect(!dryRun && error.code == "unreachable")
            }
            #expect(server.requests.withLock { $0.count } == count)
        }
        let server = ScriptedServer([nil])
        defer { server.stop() }
        let client = try Client(url: server.url)
        let error = await #expect(throws: ClientError.self) {
            try await client.removeLimit(.handler, "a b", reason: "c d")
        }
        #expect(error?.code == "unreachable")
        let asked = server.requests.withLock { $0 }
        #expect(asked.count == 1 && asked[0].hasPrefix("DELETE /v1/limits/handler/a%20b?reason=c%20d HTTP/1.1\r\n"))
    }
}
