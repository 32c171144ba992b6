import StepwellEngine
import StepwellKernel
import StepwellLog
import StepwellModel
import Synchronization
import Testing

@Suite("A turn of the loop")
struct LoopTests {
    private let log = FailingLog()
    private let bench: LoopBench

    init() throws {
        bench = try LoopBench(log)
    }

    @Test("Nothing leaves before it is on disk: no attempt, no answer")
    func nothingLeaves() throws {
        try bench.join()
        let pending = bench.loop.prepare([bench.submission(1)], at: bench.reading)
        #expect(bench.answers == [])
        #expect(bench.runner.assignments.isEmpty)
        log.fail(with: .inputOutput(operation: "commit", reason: "broken"))
        #expect(throws: LogError.inputOutput(operation: "commit", reason: "broken")) {
            try bench.loop.commit(pending)
        }
        #expect(bench.answers == [])
        #expect(bench.runner.assignments.isEmpty)
        #expect(try log.task(.numbered(1)) == nil)
    }

    @Test("A turn that found no space is written as it was when there is some")
    func keptTurn() throws {
        try bench.join()
        let pending = bench.loop.prepare([bench.submission(1)], at: bench.reading)
        log.fail(with: .diskFull(path: "store"))
        for _ in 0..<3 { #expect(throws: LogError.diskFull(path: "store")) { try bench.loop.commit(pending) } }
        log.fail(with: nil)
        try bench.loop.commit(pending)
        bench.loop.release(pending)
        #expect(bench.answers == ["accepted"])
        #expect(bench.runner.assignments.map(\.step.name) == ["s0"])
        #expect(try log.task(.numbered(1))?.state == .inProgress)
    }

    @Test("However many letters a turn has, they cost one append")
    func groupCommit() throws {
        let before = log.appendCount
        try bench.turn((1...500).map { bench.submission($0) } + [bench.joining(slots: 500)])
        #expect(log.appendCount == before + 1)
        #expect(bench.answers == [String](repeating: "accepted", count: 500))
        #expect(bench.runner.assignments.count == 500)
        try bench.turn(bench.runner.assignments.map { bench.end($0) })
        #expect(log.appendCount == before + 2)
        #expect(try log.openTasks().isEmpty)
    }

    @Test("A turn without news writes nothing")
    func emptyTurn() throws {
        let before = log.tryCount
        try bench.turn()
        try bench.turn([.command(.loseWorker(WorkerID(44), reason: ""), by: .engine, answer: nil)])
        #expect(log.tryCount == before)
    }

    @Test("A refused command is answered with the reason, beside others that are accepted")
    func refusals() throws {
        try bench.turn([bench.submission(1, key: "k"), bench.submission(2, key: "k"), bench.submission(3)])
        #expect(bench.answers == ["accepted", "duplicate_key", "accepted"])
        #expect(try log.task(.numbered(2)) == nil)
    }

    @Test("The key of a closed task is refused too, as the log's index knows it")
    func closedKey() throws {
        try bench.turn([bench.submission(1, key: "k"), bench.joining()])
        try bench.turn([bench.end(bench.runner.assignments[0])])
        try bench.turn([bench.submission(2, key: "k"), bench.submission(3, key: "k", replacing: true)])
        #expect(bench.answers == ["accepted", "duplicate_key", "accepted"])
    }

    @Test("A second result is recorded as rejected, and its worker hears why, also when the task is closed")
    func lateResults() throws {
        try bench.turn([bench.submission(1, .chain(2)), bench.joining()])
        let first = bench.runner.assignments[0]
        try bench.turn([bench.end(first), bench.end(first)])
        try bench.turn([bench.end(bench.runner.assignments[1])])
        try bench.turn([bench.end(first, .failed(Failure(message: "no")))])
        let rejected = try bench.events.compactMap { record in
            if case .resultRejected(_, let rejected) = record.event { rejected } else { nil }
        }
        #expect(
            rejected == [
                RejectedResult(reason: .duplicate, succeeded: true),
                RejectedResult(reason: .taskClosed, succeeded: false),
            ])
        let lease = first.attempt.lease
        #expect(bench.runner.rejections == ["\(lease): duplicate", "\(lease): task_closed"])
        let summary = try log.task(.numbered(1))
        #expect(summary?.state == .complete)
        #expect(summary?.last == log.head.number)
    }

    @Test("When a worker leaves, its attempts go to another; that it leaves twice is not recorded twice")
    func workerLeaves() throws {
        try bench.turn([bench.submission(1), bench.joining(1)])
        try bench.join(2)
        let leave = Letter.command(.loseWorker(WorkerID(1), reason: "killed"), by: .engine, answer: nil)
        try bench.turn([leave])
        try bench.turn([leave])
        #expect(bench.runner.assignments.map(\.attempt.worker) == [WorkerID(1), WorkerID(2)])
        let left = try bench.events.count { if case .workerLeft = $0.event { true } else { false } }
        #expect(left == 1)
    }

    @Test("A timer that comes due is fired, and the next one is known")
    func timers() throws {
        try bench.turn([bench.submission(1), bench.joining()])
        #expect(bench.loop.nextDue == nil)
        try bench.turn([bench.end(bench.runner.assignments[0], .failed(Failure(message: "no")))])
        #expect(bench.loop.nextDue == bench.now.advanced(by: .seconds(1)))
        try bench.pass(1000)
        #expect(bench.runner.assignments.map(\.attempt.attempt) == [1, 2])
        #expect(bench.loop.nextDue == nil)
    }

    private var setBacks: [Event] {
        get throws { try bench.events.map(\.event).filter { if case .clockClamped = $0 { true } else { false } } }
    }

    @Test(
        "That the clock was set back is recorded once, and the log's time goes on at half speed until it has caught up")
    func setBack() throws {
        let high = bench.now
        bench.now = high.advanced(by: .seconds(-60))
        try bench.turn([bench.submission(1)])
        #expect(try bench.events.last?.time == high)
        for number in 2...6 as ClosedRange<UInt64> {
            try bench.pass(1000)
            try bench.turn([bench.submission(number)])
        }
        #expect(try bench.events.last?.time == high.advanced(by: Milliseconds(2500)))
        #expect(try setBacks == [.clockClamped(observed: high.advanced(by: .seconds(-60)), used: high)])
        try bench.pass(115_000)
        try bench.turn([bench.submission(7)])
        #expect(bench.now == high.advanced(by: .seconds(60)))
        #expect(try bench.events.last?.time == bench.now)
        #expect(try setBacks.count == 1)
        bench.now = high
        try bench.turn([bench.submission(8)])
        #expect(try setBacks.last == .clockClamped(observed: high, used: high.advanced(by: .seconds(60))))
        #expect(try setBacks.count == 2)
    }

    @Test("A retry comes due while the clock is behind, after twice its time, and the loop wakes for it then")
    func retryWhileBehind() throws {
        try bench.turn([bench.submission(1), bench.joining()])
        try bench.turn([bench.end(bench.runner.assignments[0], .failed(Failure(message: "no")))])
        #expect(bench.loop.timeToNextDue(at: bench.reading) == .seconds(1))
        bench.now = bench.now.advanced(by: .seconds(-3600))
        try bench.turn()
        #expect(bench.loop.timeToNextDue(at: bench.reading) == .seconds(2))
        try bench.pass(1500)
        #expect(bench.loop.timeToNextDue(at: bench.reading) == Milliseconds(500))
        #expect(bench.runner.assignments.count == 1)
        try bench.pass(500)
        #expect(bench.runner.assignments.map(\.attempt.attempt) == [1, 2])
        #expect(bench.loop.timeToNextDue(at: bench.reading) == nil)
    }

    @Test("An engine that starts while the clock is behind the log goes on from the log's last event")
    func startsBehind() throws {
        let high = bench.now
        let next = try LoopBench(log, now: high.advanced(by: .seconds(-3600)))
        #expect(try next.events.last?.time == high)
        try next.pass(3000)
        try next.turn([next.submission(2)])
        #expect(try next.events.last?.time == high.advanced(by: Milliseconds(1500)))
        #expect(try setBacks.count == 1)
    }

    @Test("A line of a handler's log is written without an event")
    func logLines() throws {
        let number = log.head.number
        let line = LogLine(
            task: .numbered(1), step: 0, attempt: 1, lease: SequenceNumber(1), number: 0, time: bench.now, level: .info,
            text: "hello")
        try bench.turn([.logLine(line)])
        #expect(log.head.number == number)
        var lines: [LogLine] = []
        try log.logLines(of: .numbered(1), after: nil) { line in
            lines.append(line)
            return true
        }
        #expect(lines == [line])
    }

    @Test("When it is idle is said at once, or after the last attempt has ended")
    func idle() throws {
        final class Counter: Sendable { let count = Mutex(0) }
        let counter = Counter()
        bench.loop.whenIdle { counter.count.withLock { $0 += 1 } }
        #expect(counter.count.withLock { $0 } == 1)
        try bench.turn([bench.submission(1), bench.joining()])
        bench.loop.whenIdle { counter.count.withLock { $0 += 1 } }
        bench.loop.stopAttempts()
        #expect(bench.runner.stops == ["\(bench.runner.assignments[0].attempt.lease): shutdown"])
        #expect(counter.count.withLock { $0 } == 1)
        try bench.turn([bench.end(bench.runner.assignments[0])])
        #expect(counter.count.withLock { $0 } == 2)
    }
}
