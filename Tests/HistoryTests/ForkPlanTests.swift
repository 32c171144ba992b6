import StepwellHistory
import StepwellLog
import StepwellModel
import Testing

@Suite("Plans of forks")
struct ForkPlanTests {
    /// Rates and orders, of which `convert` makes something, which fails.
    private func failed() throws -> Recorded {
        var recorded = try Recorded(
            Template([
                .step("rates"), .step("orders"), .step("convert", after: [0, 1], retry: RetryPolicy(attemptsMax: 1)),
                .step("other"),
            ]), input: try JSONText(#"{"night": 1, "currencies": "EUR;GBP"}"#))
        for step in ["rates", "orders", "other"] { try recorded.succeed(step) }
        try recorded.fail("convert", Failure(message: "no"))
        return recorded
    }

    private func plan(
        _ recorded: Recorded, from step: String, _ changes: [JSON.Member] = [], given: [String: JSONText] = [:]
    ) throws -> ForkPlan {
        try ForkPlan.make(of: recorded.task, in: recorded.log, from: step, inputChanges: changes, given: given)
    }

    @Test("Where the new input differs is told, and what may not have been meant is warned of")
    func input() throws {
        let recorded = try failed()
        let sound = try plan(recorded, from: "rates", [.init("currencies", "EUR,GBP")])
        #expect(sound.inputChanges == [JSONChange("/currencies", "EUR;GBP", "EUR,GBP")])
        #expect(sound.warnings == [])
        #expect(try plan(recorded, from: "rates").inputChanges == [] && plan(recorded, from: "rates").warnings == [])
        let unknown = try plan(recorded, from: "rates", [.init("currency", "EUR")])
        #expect(unknown.warnings == ["the input had no member 'currency'; it had night, currencies"])
        let same = try plan(recorded, from: "rates", [.init("night", .number("1.0"))])
        #expect(same.inputChanges == [] && same.warnings == ["the input is as it was"])
    }

    @Test("A member that the template's schema declares may be new")
    func declared() throws {
        let schema = try JSONText(#"{"type": "object", "properties": {"first_day": {"type": "string"}}}"#)
        var recorded = try Recorded(
            Template(namespace: "tests", name: "n", version: "1", steps: [.step("a")], inputSchema: schema))
        try recorded.succeed("a")
        #expect(try plan(recorded, from: "a", [.init("first_day", "2026-11-03")]).warnings == [])
        #expect(
            try plan(recorded, from: "a", [.init("frist_day", "2026-11-03")]).warnings
                == ["the input had no member 'frist_day'; it had none"])
    }

    @Test("Results before the step that were made with the old input are warned of, but not those that are given")
    func keptResults() throws {
        let recorded = try failed()
        let changes = [JSON.Member("currencies", "EUR,GBP")]
        func kept(_ names: String) -> String {
            "results that were made with the old input are kept: \(names); '--from' such a step runs it again"
        }
        #expect(try plan(recorded, from: "convert", changes).warnings == [kept("rates, orders")])
        let given = ["rates": JSONText(JSON.null)]
        #expect(try plan(recorded, from: "convert", changes, given: given).warnings == [kept("orders")])
        #expect(try plan(recorded, from: "convert", given: given).warnings == [])
    }
}
