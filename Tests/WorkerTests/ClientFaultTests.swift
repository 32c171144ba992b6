import StepwellWorker
import Synchronization
import Testing

/// What a client does when a server is busy, silent, gone, or none.
@Suite("The client, when something goes wrong")
struct ClientFaultTests {
    private static let task =
        #"{"task_id":"t","namespace":"n","name":"x","version":"1","state":"complete","steps":{}}"#

    private func with(
        _ answers: [String?], _ body: (Client, ScriptedServer) async throws -> Void
    ) async throws {
        let server = ScriptedServer(answers)
        defer { server.stop() }
        try await body(try Client(url: server.url, token: "secret", sourceSystem: "tests"), server)
    }

    private func requests(_ server: ScriptedServer) -> [String] { server.requests.withLock { $0 } }

    @Test func aBusyServerIsAskedAgain() async throws {
        let busy = ScriptedServer.answer(503, "{}", "Retry-After: 0\r\n")
        try await with([busy, busy, ScriptedServer.answer(200, Self.task)]) { client, server in
            let found = try await client.cancelTask("t")
            #expect(found.isComplete)
            #expect(requests(server).count == 3)
        }
        try await with([busy, busy, busy, busy]) { client, server in
            let error = await #expect(throws: ClientError.self) { _ = try await client.task("t") }
            #expect(error?.code == "http_503" && requests(server).count == 4)
        }
    }

    @Test func aWaitThatIsTooLongToCountEndsNothing() async throws {
        let busy = ScriptedServer.answer(503, "{}", "Retry-After: \(Int.max)\r\n")
        try await with([busy]) { client, server in
            let asking = Task { try await client.task("t") }
            while requests(server).isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            try await Task.sleep(for: .milliseconds(50))
            asking.cancel()
            await #expect(throws: CancellationError.self) { try await asking.value }
        }
    }

    @Test func onlyWhatMayBeRepeatedIs() async throws {
        let answer = ScriptedServer.answer(200, Self.task)
        try await with([nil, answer]) { client, server in
            _ = try await client.task("t")
            #expect(requests(server).count == 2)
        }
        try await with([nil, answer]) { client, server in
            try await client.createTask(name: "x", idempotencyKey: "k")
            #expect(requests(server).count == 2 && requests(server)[0] == requests(server)[1])
        }
        try await with([nil, answer]) { client, server in
            let error = await #expect(throws: ClientError.self) { try await client.createTask(name: "x") }
            #expect(error?.code == "unreachable" && requests(server).count == 1)
        }
    }

    @Test func whatItSends() async throws {
        try await with([ScriptedServer.answer(200, Self.task)]) { client, server in
            var wish = try NewTask(name: "x", encoding: ["b": 1])
            (wish.correlationID, wish.initiator, wish.version) = ("c", "me", "2")
            try await client.createTask(wish)
            let request = requests(server)[0]
            #expect(request.hasPrefix("POST /v1/tasks HTTP/1.1\r\n") && request.contains("Bearer secret"))
            #expect(
                request.hasSuffix(
                    #"{"name":"x","namespace":"default","context":{"b":1},"version":"2","correlation_id":"c","#
                        + #""initiator":"me","source_system":"tests"}"#))
        }
        try await with([ScriptedServer.answer(200, #"{"events":[]}"#)]) { client, server in
            let found = try await client.stepAuditHistory("a/b", "ü?")
            #expect(found.isEmpty)
            #expect(requests(server)[0].hasPrefix("GET /v1/tasks/a%2Fb/steps/%C3%BC%3F/audit HTTP/1.1\r\n"))
        }
    }

    @Test func whatIsNoStepwellServer() async throws {
        for body in ["<html>", "{}", #"{"tasks":[{}]}"#] {
            try await with([ScriptedServer.answer(200, body)]) { client, _ in
                let error = await #expect(throws: ClientError.self) { _ = try await client.tasks() }
                #expect(error?.code == "unreadable_answer")
            }
        }
        try await with([ScriptedServer.answer(404, "<html>")]) { client, _ in
            let error = await #expect(throws: ClientError.self) { _ = try await client.task("t") }
            #expect(error?.code == "http_404" && error?.status == 404)
        }
    }

    @Test func aServerThatIsNotThere() async throws {
        let server = ScriptedServer([])
        server.stop()
        let error = await #expect(throws: ClientError.self) {
            _ = try await Client(url: "unix:/nowhere/api.sock").health()
        }
        #expect(error?.code == "unreachable" && error?.cure?.contains("stepwell serve") == true)
        for text in ["ftp://x", "http://", "http://a b"] {
            let error = #expect(throws: ClientError.self) { _ = try Client(url: text) }
            #expect(error?.code == "bad_server_address")
        }
    }

    @Test func aWaitOutlivesAServerThatIsAway() async throws {
        func away(_ status: Int) -> String { ScriptedServer.answer(status, "<html>", "Retry-After: 0\r\n") }
        let pending = ScriptedServer.answer(200, Self.task.replacing("complete", with: "pending"))
        // More in a row than one question survives, and each kind of absence.
        let absence = [nil, nil, nil, nil, nil, away(503), away(502), away(504)]
        try await with(absence + [pending, away(502), ScriptedServer.answer(200, Self.task)]) { client, server in
            let found = try await client.wait("t")
            #expect(found.isComplete && requests(server).count == 11)
        }
    }

    @Test func aWaitEndsWithWhatDoesNotPassAndInTime() async throws {
        try await with([ScriptedServer.answer(404, "{}")]) { client, _ in
            let error = await #expect(throws: ClientError.self) { _ = try await client.wait("t") }
            #expect(error?.code == "http_404" && error?.mayPass == false)
        }
        let busy = ScriptedServer.answer(503, "{}", "Retry-After: 0\r\n")
        try await with([busy, busy, busy, busy]) { client, _ in
            let error = await #expect(throws: ClientError.self) { _ = try await client.wait("t", timeout: .zero) }
            #expect(error?.status == 503 && error?.mayPass == true)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aCancelledTaskWaitsNoLonger() async throws {
        try await with([""]) { client, server in
            let waiting = Task { try await client.wait("t") }
            while requests(server).isEmpty { await Task.yield() }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            // The connection serves the next one, which nobody breaks off.
            server.answers.withLock { $0 = [ScriptedServer.answer(200, Self.task)] }
            let found = try await client.task("t")
            #expect(found.isComplete)
        }
    }
}
