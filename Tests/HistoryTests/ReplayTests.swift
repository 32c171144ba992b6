import StepwellHistory
import StepwellKernel
import StepwellLog
import StepwellModel
import Testing

@Suite("Folding the whole log")
struct ReplayTests {
    @Test("It tells how many events there are, which tasks are open, and where the log ends")
    func fold() throws {
        var recorded = try Recorded([
            .step("a"),
            .step("b", after: [0]),
        ])
        let (state, half) = try Replay.fold(recorded.log)
        #expect(half.tasksOpen == 1)
        #expect(state[recorded.task]?.steps.map(\.state) == [.inProgress, .pending])
        try recorded.succeed("a")
        try recorded.succeed("b")
        let (_, whole) = try Replay.fold(recorded.log)
        #expect(whole.tasksOpen == 0)
        #expect(whole.eventsFolded == Int(recorded.log.head.number.rawValue))
        #expect(whole.last == recorded.log.head.number)
        #expect(whole.time == recorded.log.head.time)
        #expect(whole.eventsFolded > half.eventsFolded)
    }

    @Test("An empty log folds to nothing")
    func empty() throws {
        let (_, report) = try Replay.fold(MemoryLog())
        #expect(report.eventsFolded == 0 && report.tasksOpen == 0 && report.last == .zero && report.time == .zero)
    }
}
