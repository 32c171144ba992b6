import StepwellKernel
import StepwellModel
import Testing

@Suite("A fork")
struct ForkTests {
    private func fork(
        _ lines: String, adopting adopted: [StepIndex], results: [StepIndex]? = nil
    ) throws -> (lines: [String], story: Story) {
        var story = Story(steps("first"))
        let template = Template(namespace: "tests", name: "fork", version: "1", steps: steps(lines))
        let submission = Submission(
            template: TemplateDigest([9]), namespace: "tests", name: "fork", version: "1", correlationID: "c",
            forkedFrom: TaskID(high: 1, low: 1), adopted: adopted)
        let adoptions = (results ?? adopted).map {
            AdoptedResult(step: $0, result: JSONText(.number(String($0))), origin: SequenceNumber(UInt64(40 + $0)))
        }
        let id = TaskID(high: 7, low: 99)
        let written = try story.turn([.init(.forkTask(id, submission, template, results: adoptions), by: .operator)])
        return (written, story)
    }

    @Test("Adopted steps are complete at once, and only what follows runs")
    func adopts() throws {
        let (lines, story) = try fork("a, b, c < a b, d < c", adopting: [0, 1])
        #expect(
            lines == [
                "task.submitted", "result.adopted b", "step.adopted b", "result.adopted a", "step.adopted a",
                "step.enqueued c", "attempt.started c/1 on 1",
            ])
        let task = try #require(story.driver.state[TaskID(high: 7, low: 99)])
        #expect(task.steps.map(\.state) == [.complete, .complete, .inProgress, .pending])
        #expect(task.summary.forkedFrom == TaskID(high: 1, low: 1))
        #expect(task.summary.stepsDone == 2)
    }

    @Test("A chain of adopted steps starts none of them, whatever the template's order")
    func chain() throws {
        let (lines, _) = try fork("d < c, c < b, b < a, a", adopting: [1, 2, 3])
        #expect(lines.filter { $0.hasPrefix("step.enqueued") } == ["step.enqueued d"])
    }

    @Test("A root that is not adopted starts beside")
    func besides() throws {
        let (lines, _) = try fork("a, b, c < a b", adopting: [0])
        #expect(lines.filter { $0.hasPrefix("step.enqueued") } == ["step.enqueued b"])
    }

    @Test("A fork without adopted steps runs all")
    func nothingAdopted() throws {
        let (lines, _) = try fork("a, b < a", adopting: [])
        #expect(lines == ["task.submitted", "step.enqueued a", "attempt.started a/1 on 1"])
    }

    @Test("A fork of which nothing would run, or whose results are not those that it names, is refused")
    func refused() throws {
        for (adopted, results) in [([0, 1], [0, 1]), ([0], [1]), ([0, 0], [0, 0]), ([0], []), ([], [0])] {
            #expect(throws: Rejection.nothingToRun) {
                try fork("a, b < a", adopting: adopted, results: results)
            }
        }
        #expect(throws: Rejection.unknownStep(7)) { try fork("a, b < a", adopting: [7]) }
    }

    @Test("After a crash at any event the fork is the same")
    func recovered() throws {
        let (_, story) = try fork("a, b, c < a b, d < c", adopting: [0, 1])
        #expect(try story.driver.history.folded().content == story.driver.state.content)
        var again = DecisionCheck()
        for (digest, template) in story.driver.templates { again.adopt(Plan(template, digest: digest)) }
        for record in story.driver.log { try again.take(record) }
    }
}
