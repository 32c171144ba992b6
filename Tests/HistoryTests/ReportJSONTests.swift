import StepwellHistory
import StepwellModel
import Testing

@Suite("A task's report as JSON")
struct ReportJSONTests {
    private let input = #"{ "amount": 12345678901234567890.10, "name":"\u00fc", "a":1, "a":2 }"#

    @Test("Input and results stand in it byte for byte")
    func verbatim() throws {
        let result = #"{"big":123456789012345678901234567890,"e":1E400,  "s":"\u0041"}"#
        var recorded = try Recorded(
            Template(namespace: "tests", name: "report", version: "1", steps: [.step("a")]), input: JSONText(input))
        try recorded.succeed("a", result)
        let text = try #require(try recorded.report()).json.description
        #expect(text.contains(#""input":"# + input))
        #expect(text.contains(#""result":"# + result))
        #expect(throws: Never.self) { try JSONText(text) }
    }

    @Test("Its members, and those of a step, for a task that is complete")
    func complete() throws {
        let template = Template(
            namespace: "sales", name: "nightly", version: "2.0.1", description: "Every night", steps: [.step("a")])
        var recorded = try Recorded(template, key: "2026-11-24", priority: 7)
        try recorded.pass(1042)
        try recorded.succeed("a", "[1]")
        let json = try #require(try recorded.report()).json.json
        #expect(json["task_id"]?.string == recorded.task.description)
        #expect(
            ["namespace", "name", "version", "key", "state", "description"].map { json[$0]?.string }
                == ["sales", "nightly", "2.0.1", "2026-11-24", "complete", "Every night"])
        #expect(json["priority"]?.int == 7)
        #expect(json["submitted_at"]?.string == "2023-11-14T22:13:20.000Z")
        #expect(json["completed_at"]?.string == "2023-11-14T22:13:21.042Z")
        let step = try #require(json["steps"]?["a"])
        #expect(
            step.members?.map(\.name)
                == [
                    "state", "attempts", "max_attempts", "lost", "handler_version", "result", "started_at",
                    "completed_at",
                ])
        #expect(step["attempts"]?.int == 1)
        #expect(step["max_attempts"]?.int == 3)
    }

    @Test("A failed step has an error with all that the handler said, and what waits behind it is named")
    func failed() throws {
        var recorded = try Recorded([.step("a"), .step("b", after: [0])])
        try recorded.fail(
            "a",
            Failure(
                message: "no \"table\"", errorType: "sql", errorCode: "42P01", retryable: false,
                retryAfter: .seconds(2), backtrace: "line 1\nline 2", metadata: try JSONText(#"{"host":"db"}"#)))
        let json = try #require(try recorded.report()).json.json
        #expect(json["state"]?.string == "blocked_by_failures")
        #expect(json["completed_at"]?.isNull == true)
        #expect(json["key"]?.isNull == true)
        #expect(
            json["steps"]?["a"]?["error"] == [
                "message": "no \"table\"", "error_type": "sql", "retryable": false, "error_code": "42P01",
                "retry_after_ms": 2000, "backtrace": "line 1\nline 2", "metadata": ["host": "db"],
            ])
        #expect(json["steps"]?["a"]?["result"] == nil)
        #expect(json["steps"]?["b"]?["waits_for"] == ["a"])
        #expect(json["steps"]?["b"]?["started_at"]?.isNull == true)
    }

    @Test("A step that waits says when it is due, and shows the last error")
    func waiting() throws {
        var recorded = try Recorded([.step("a")])
        try recorded.fail("a", Failure(message: "busy"))
        let step = try #require(try recorded.report()).json.json["steps"]?["a"]
        #expect(step?["due_at"]?.string == "2023-11-14T22:13:21.000Z")
        #expect(step?["error"]?["message"]?.string == "busy")
    }

    @Test("A resolved step shows its result and no error")
    func resolved() throws {
        var recorded = try Recorded([.step("a")])
        try recorded.fail("a", Failure(message: "no", retryable: false))
        try recorded.resolve("a", #"{"by":"hand"}"#)
        let step = try #require(try recorded.report()).json.json["steps"]?["a"]
        #expect(step?["state"]?.string == "resolved_manually")
        #expect(step?["result"] == ["by": "hand"])
        #expect(step?["error"] == nil)
    }
}
