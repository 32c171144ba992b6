import StepwellEngine
import StepwellKernel
import StepwellLog
import StepwellModel
import Testing

struct RefusedSubmissionTests {
    @Test("The log keeps no template of a submission that was refused")
    func refused() throws {
        let log = MemoryLog()
        let loop = Loop(state: State(), log: log, at: .zero)
        let steps = [StepTemplate(name: "a", handler: .callable("h"))]
        let good = Template(namespace: "tests", name: "good", version: "1", steps: steps)
        let bad = Template(namespace: "tests", name: "bad", version: "1", steps: steps, unsupported: ["type: decision"])
        // In one turn, so that there is something to write.
        let letters = [good, bad].enumerated().map { place, template in
            let submission = Submission(
                template: template.digest, namespace: "tests", name: template.name, version: "1", correlationID: "c")
            let id = TaskID(high: 0x7000, low: UInt64(place + 1))
            return Letter.command(
                .submitTask(id, submission, template, known: nil, replacing: false), by: Actor(.client), answer: nil)
        }
        try loop.turn(letters, at: ClockReading(wall: Timestamp(milliseconds: 1), monotonic: .zero))
        #expect(try log.openTasks().map(\.name) == ["good"])
        #expect(try log.template(good.digest) == good)
        #expect(try log.template(bad.digest) == nil)
    }
}
