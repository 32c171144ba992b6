import StepwellKernel
import StepwellModel
import StepwellSimulation
import Testing

/// Each invariant of events says no to an event that breaks it, in a log that is sound up to there.
@Suite("Invariants")
struct InvariantTests {
    /// A log that is told event by event; the envelope is right unless the test makes it wrong.
    private struct Tale {
        var ledger = Ledger()
        let task = TaskID(high: 7, low: 7)
        let digest = TemplateDigest([1])

        init() throws {
            var policy = RetryPolicy(attemptsMax: 2, initialDelay: .seconds(1))
            policy.lossesMax = 1
            let steps = ["a", "b"].enumerated().map { place, name in
                StepTemplate(
                    name: name, handler: .callable("h"), dependencies: place == 0 ? [] : [0], retry: policy,
                    timeout: .seconds(60))
            }
            ledger.adopt(Template(namespace: "n", name: "t", version: "1", steps: steps), digest: digest)
            try add(.engineStarted(EngineStart(version: "1", processID: 1, host: "here")))
            for worker in 1...2 as ClosedRange<UInt32> {
                try add(
                    .workerJoined(
                        WorkerJoin(
                            worker: WorkerID(worker), name: "w", kind: .process,
                            handlers: [HandlerVersion(name: worker == 1 ? "h" : "other", version: "1")], slots: 1)))
            }
            try add(submission, of: task)
            try add(.stepEnqueued(0), of: task)
        }

        var submission: Event {
            .taskSubmitted(
                Submission(template: digest, namespace: "n", name: "t", version: "1", correlationID: "c"))
        }

        func record(_ event: Event, of task: TaskID? = nil, at time: Int64? = nil) -> EventRecord {
            let isDecision: Bool
            switch event {
            case .stepEnqueued, .attemptStarted, .retryScheduled, .stepCompleted, .stepFailed, .stepAdopted,
                .taskCompleted:
                isDecision = true
            default: isDecision = false
            }
            let known = ledger.task(task)
            return EventRecord(
                number: ledger.last.next, task: task, taskNumber: task == nil ? 0 : (known?.eventCount ?? 0) + 1,
                previous: known?.last ?? .zero, time: time.map(Timestamp.init(milliseconds:)) ?? ledger.time,
                actor: isDecision ? .scheduler : Actor(.worker), cause: isDecision ? ledger.lastFact : .zero,
                event: event)
        }

        mutating func add(_ event: Event, of task: TaskID? = nil, at time: Int64? = nil) throws {
            let record = record(event, of: task, at: time)
            try Invariants.check(record, after: ledger)
            ledger.read(record)
        }

        func start(_ step: Int = 0, attempt: Int = 1, worker: UInt32 = 1, deadline: Int64 = 60_000) -> Event {
            .attemptStarted(
                AttemptStart(
                    step: step, attempt: attempt, worker: WorkerID(worker), workerKind: .process,
                    deadline: ledger.time.advanced(by: Milliseconds(deadline))))
        }

        var attempt: AttemptID {
            AttemptID(step: 0, attempt: 1, lease: SequenceNumber(6), worker: WorkerID(1))
        }

        func verdict(_ record: EventRecord) -> String? {
            do {
                try Invariants.check(record, after: ledger)
                return nil
            } catch { return error.invariant }
        }
    }

    @Test("A fork adopts what it has named, from the task that is forked, and runs none of it")
    func adoption() throws {
        var tale = try Tale()
        try tale.add(tale.start(), of: tale.task)
        try tale.add(.attemptSucceeded(tale.attempt, result: .null, metadata: nil), of: tale.task)
        try tale.add(.stepCompleted(0), of: tale.task)
        let fork = TaskID(high: 8, low: 8)
        try tale.add(
            .taskSubmitted(
                Submission(
                    template: tale.digest, namespace: "n", name: "t", version: "1", correlationID: "c",
                    forkedFrom: tale.task, adopted: [0])), of: fork)
        func adopt(_ step: Int, _ origin: UInt64) -> EventRecord {
            tale.record(
                .resultAdopted(AdoptedResult(step: step, result: .null, origin: SequenceNumber(origin))), of: fork)
        }
        #expect(tale.verdict(adopt(0, 6)) == "adoption")
        #expect(tale.verdict(adopt(1, 7)) == "adoption")
        #expect(tale.verdict(tale.record(.stepAdopted(0), of: fork)) == "adoption")
        #expect(tale.verdict(tale.record(tale.start(), of: fork)) == "adoption")
        #expect(tale.verdict(adopt(0, 7)) == nil)
        try tale.add(adopt(0, 7).event, of: fork)
        try tale.add(.stepAdopted(0), of: fork)
        #expect(tale.verdict(adopt(0, 7)) == "adoption")
        #expect(tale.verdict(tale.record(tale.start(), of: fork)) == "one-result")
    }

    @Test("What is sound breaks none")
    func sound() throws {
        var tale = try Tale()
        try tale.add(tale.start(), of: tale.task)
        try tale.add(.attemptFailed(tale.attempt, Failure(message: "no")), of: tale.task)
        try tale.add(.retryScheduled(0, due: Timestamp(milliseconds: 1000)), of: tale.task)
        try tale.add(.retryDue(0), of: tale.task, at: 1000)
        try tale.add(.stepEnqueued(0), of: tale.task)
        try tale.add(tale.start(attempt: 2), of: tale.task)
        let names = Invariants.ofEvents.map { $0.name } + Invariants.ofStates.map { $0.name }
        #expect(Set(names).count == names.count)
    }

    @Test("Envelopes")
    func envelopes() throws {
        let tale = try Tale()
        var gap = tale.record(.engineStopped)
        gap.number = gap.number.next
        #expect(tale.verdict(gap) == "gap-free")
        var unlinked = tale.record(tale.start(), of: tale.task)
        unlinked.previous = SequenceNumber(1)
        #expect(tale.verdict(unlinked) == "gap-free")
        #expect(tale.verdict(tale.record(tale.submission, of: tale.task)) == "gap-free")
        #expect(tale.verdict(tale.record(.engineStopped, at: -1)) == "time")
        var causeless = tale.record(tale.start(), of: tale.task)
        causeless.cause = .zero
        #expect(tale.verdict(causeless) == "causes")
        var strange = tale.record(tale.start(), of: tale.task)
        strange.actor = .engine
        #expect(tale.verdict(strange) == "causes")
    }

    @Test("Starts")
    func starts() throws {
        var tale = try Tale()
        #expect(tale.verdict(tale.record(tale.start(attempt: 2), of: tale.task)) == "attempts")
        #expect(tale.verdict(tale.record(tale.start(worker: 2), of: tale.task)) == "workers")
        #expect(tale.verdict(tale.record(tale.start(worker: 3), of: tale.task)) == "workers")
        #expect(tale.verdict(tale.record(tale.start(1), of: tale.task)) == "dependencies")
        #expect(tale.verdict(tale.record(tale.start(deadline: 1), of: tale.task)) == "waits")
        try tale.add(tale.start(), of: tale.task)
        #expect(tale.verdict(tale.record(tale.start(), of: tale.task)) == "leases")
        #expect(tale.verdict(tale.record(.taskCompleted, of: tale.task)) == "dependencies")
    }

    @Test("Ends")
    func ends() throws {
        var tale = try Tale()
        try tale.add(tale.start(), of: tale.task)
        var other = tale.attempt
        other.lease = SequenceNumber(5)
        #expect(
            tale.verdict(tale.record(.attemptSucceeded(other, result: .null, metadata: nil), of: tale.task)) == "leases"
        )
        #expect(tale.verdict(tale.record(.attemptTimedOut(tale.attempt), of: tale.task, at: 59_999)) == "waits")
        #expect(tale.verdict(tale.record(.attemptTimedOut(tale.attempt), of: tale.task, at: 60_000)) == nil)
        let rejected = RejectedResult(reason: .duplicate, succeeded: true)
        #expect(tale.verdict(tale.record(.resultRejected(tale.attempt, rejected), of: tale.task)) == "leases")
        #expect(tale.verdict(tale.record(.stepCompleted(0), of: tale.task)) == "one-result")
        try tale.add(.attemptSucceeded(tale.attempt, result: .null, metadata: nil), of: tale.task)
        #expect(tale.verdict(tale.record(.engineStopped)) == "consequences")
        try tale.add(.stepCompleted(0), of: tale.task)
        #expect(tale.verdict(tale.record(.stepCompleted(0), of: tale.task)) == "one-result")
        #expect(tale.verdict(tale.record(tale.start(), of: tale.task)) == "one-result")
    }

    @Test("Failures")
    func failures() throws {
        var tale = try Tale()
        try tale.add(tale.start(), of: tale.task)
        try tale.add(.attemptFailed(tale.attempt, Failure(message: "no", retryable: false)), of: tale.task)
        let early = Event.stepFailed(0, .attemptsExhausted)
        #expect(tale.verdict(tale.record(early, of: tale.task)) == "attempts")
        #expect(tale.verdict(tale.record(.stepFailed(0, .lossesExhausted), of: tale.task)) == "attempts")
        #expect(tale.verdict(tale.record(.stepFailed(0, .notRetryable), of: tale.task)) == nil)
        let retry = Event.retryScheduled(0, due: Timestamp(milliseconds: 1000))
        #expect(tale.verdict(tale.record(retry, of: tale.task)) == "waits")
    }

    @Test("The first in the queue goes first")
    func order() throws {
        var tale = try Tale()
        let other = TaskID(high: 7, low: 8)
        try tale.add(tale.submission, of: other)
        try tale.add(.stepEnqueued(0), of: other)
        #expect(tale.verdict(tale.record(tale.start(), of: other)) == "order")
        #expect(tale.verdict(tale.record(tale.start(), of: tale.task)) == nil)
    }
}
