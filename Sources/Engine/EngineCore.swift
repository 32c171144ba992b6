import Glibc
package import StepwellKernel
package import StepwellLog
package import StepwellModel
import Synchronization

/// The running engine: the loop on its thread, and the doors to it. It knows no files, no YAML and no handlers' types.
package final class EngineCore: AttemptHost {
    package let log: any EventLog
    package let limits: Limits
    package let clock: any MachineClock
    package let secrets: SecretStore
    private let mailbox = Mailbox()
    private let thread: LoopThread
    private let workerCount = Atomic<UInt32>(0)
    private let observers: Observers
    private let gate: Gate

    /// Folds the log. Nothing runs before ``start(_:)``.
    /// - Parameter isHeld: nothing is given to workers before ``release()``.
    /// - Throws: ``LogError``, or ``FoldError`` when the log's events cannot follow each other.
    package init(
        log: any EventLog, limits: Limits = Limits(), clock: any MachineClock = SystemClock(),
        secrets: SecretStore = SecretStore(), observers: Observers = Observers(), isHeld: Bool = false
    ) throws {
        gate = Gate(isClosed: isHeld)
        self.log = log
        self.limits = limits
        self.clock = clock
        self.secrets = secrets
        self.observers = observers
        let (state, eventsFolded) = try Recovery.fold(log)
        recovered = (eventsFolded, state.openTaskCount)
        let loop = Loop(state: state, log: log, at: clock.read().monotonic, secrets: secrets, observe: observers.events)
        thread = LoopThread(
            loop: loop, mailbox: mailbox, clock: clock,
            events: .init(commit: observers.commit, storage: observers.storage, failure: observers.failure))
        initialLoop = loop
    }

    private let recovered: (eventsFolded: Int, tasksOpen: Int)
    /// Only ``start(_:)`` touches it, before the thread runs.
    nonisolated(unsafe) private let initialLoop: Loop

    /// Records the start, closes the attempts that were running when the engine before this one ended, and begins to turn.
    package func start(_ start: EngineStart, startedAt: Int64 = monotonicMilliseconds()) throws(LogError)
        -> RecoveryReport
    {
        var (attemptsClosed, stepsEnqueued) = (0, 0)
        let pending = initialLoop.prepare([.command(.startEngine(start), by: .engine, answer: nil)], at: clock.read())
        for record in pending.batch.events {
            switch record.event {
            case .attemptLost: attemptsClosed += 1
            case .stepEnqueued: stepsEnqueued += 1
            default: break
            }
        }
        try initialLoop.commit(pending)
        initialLoop.release(pending)
        thread.start()
        return RecoveryReport(
            eventsFolded: recovered.eventsFolded, tasksOpen: recovered.tasksOpen, attemptsClosed: attemptsClosed,
            stepsEnqueued: stepsEnqueued, processesEnded: 0,
            duration: Milliseconds(monotonicMilliseconds() - startedAt))
    }

    // MARK: Commands

    /// Sends a command and waits until what follows from it is on disk.
    package func send(_ command: Command, by actor: Actor) async throws(EngineError) {
        let error: EngineError? = await withCheckedContinuation { continuation in
            post(command, by: actor) { continuation.resume(returning: $0) }
        }
        if let error { throw error }
    }

    package func post(_ command: Command, by actor: Actor, answer: Letter.Answer? = nil) {
        mailbox.post(.command(command, by: actor, answer: answer))
    }

    /// Sends commands of which all are performed, or none.
    package func post(batch commands: [Command], by actor: Actor, answer: @escaping Letter.BatchAnswer) {
        mailbox.post(.batch(commands, by: actor, answer: answer))
    }

    /// Asks the live state something, between two turns.
    package func ask<Answer: Sendable>(
        _ question: @escaping @Sendable (State) -> Answer
    ) async throws(EngineError) -> Answer {
        let answer: Result<Answer, EngineError> = await withCheckedContinuation { continuation in
            mailbox.post(
                .query(
                    { view in continuation.resume(returning: .success(question(view.state))) },
                    refused: { continuation.resume(returning: .failure($0)) }))
        }
        return try answer.get()
    }

    /// How many turns the engine's thread has begun: it grows for as long as the thread is not stuck, and soon after ``wake()``.
    package var turnCount: UInt64 { thread.turnCount }

    package func wake() { mailbox.wake() }

    /// The same for a client, who is refused like one who sends a command: when too much waits already, or the disk is full.
    package func answer<Answer: Sendable>(
        _ question: @escaping @Sendable (State) -> Answer
    ) async throws(EngineError) -> Answer {
        let answer: Result<Answer, EngineError> = await withCheckedContinuation { continuation in
            mailbox.post(
                .question(
                    { continuation.resume(returning: .success(question($0))) },
                    refused: { continuation.resume(returning: .failure($0)) }))
        }
        return try answer.get()
    }

    /// Calls when all that was sent before is on disk, and what follows from it has left the engine.
    package func afterward(_ call: @escaping @Sendable (EngineError?) -> Void) {
        mailbox.post(.query({ _ in call(nil) }, refused: { call($0) }))
    }

    /// Calls once the task is closed, or blocked until somebody helps; at once if it is so already. Fails when the engine stops
    /// before.
    package func whenSettled(_ task: TaskID, _ call: @escaping @Sendable (Result<TaskState, EngineError>) -> Void) {
        mailbox.post(
            .query(
                { [log] view in
                    if let state = view.state[task]?.state {
                        if state == .blockedByFailures { return call(.success(state)) }
                        view.waiters.append((task, call))
                        return
                    }
                    do throws(LogError) {
                        guard let summary = try log.task(task) else {
                            return call(.failure(.rejected(.unknownTask(task))))
                        }
                        call(.success(summary.state))
                    } catch { call(.failure(.log(error))) }
                }, refused: { call(.failure($0)) }))
    }

    // MARK: Holding

    /// Whether nothing is given to workers, and how many of them wait; nil: nothing is held back.
    package var heldWorkerCount: Int? { gate.waitingCount }

    /// Ends the hold.
    /// - Returns: whether there was one.
    package func release() -> Bool { gate.open(enter) }

    private func enter(_ arrival: Gate.Arrival) { mailbox.post(.join(arrival.join, arrival.runner)) }

    // MARK: Stopping

    /// Starts no further attempt, lets those that run end within the grace time, and tells the others to end.
    package func drain(grace: Milliseconds) async {
        thread.stopWaitingForSpace()
        gate.lock()
        // Without workers, or without open tasks, nothing can start.
        guard let mayRun = try? await ask({ $0.openTaskCount > 0 && !$0.workerIDs.isEmpty }), mayRun else { return }
        try? await send(.drainEngine, by: .engine)
        thread.perform { $0.drainRunners() }
        if await becomesIdle(within: grace) { return }
        thread.perform { $0.stopAttempts() }
        // What does not end even now is lost with the engine; the next one finds it so.
        _ = await becomesIdle(within: Milliseconds(limits.stopGrace.rawValue + 1000))
    }

    private func becomesIdle(within limit: Milliseconds) async -> Bool {
        let thread = thread
        return await withCheckedContinuation { continuation in
            let answer = FirstAnswer { continuation.resume(returning: $0) }
            thread.perform({ $0.whenIdle { answer.give(true) } }, refused: { answer.give(true) })
            Task {
                try? await Task.sleep(for: .milliseconds(limit.rawValue))
                answer.give(false)
            }
        }
    }

    /// Records the stop and ends the loop's thread. The log may be closed after.
    package func stop() async {
        // After a failure of the log it is refused.
        try? await send(.stopEngine, by: .engine)
        await withCheckedContinuation { continuation in
            // The join may wait for a commit; it must not hold a thread of the task pool.
            onThread { [thread] in
                thread.stop()
                continuation.resume()
            }
        }
    }

    // MARK: Attempts

    package func nextWorkerID() -> WorkerID {
        WorkerID(workerCount.add(1, ordering: .relaxed).newValue)
    }

    package func join(_ join: WorkerJoin, runner: any AttemptRunner) {
        gate.pass(Gate.Arrival(join: join, runner: runner), enter)
    }

    package func leave(_ worker: WorkerID, reason: String) {
        gate.leave(worker)
        post(.loseWorker(worker, reason: secrets.redaction.text(reason)), by: .engine)
    }

    package func finish(_ assignment: Assignment, _ outcome: AttemptOutcome) {
        let checked = assignment.step.check(limits.check(assignment.redaction.outcome(outcome)))
        post(
            .finishAttempt(assignment.task, assignment.attempt, checked),
            by: Actor(.worker, id: assignment.workerName))
    }

    package func checkpoint(
        _ assignment: Assignment, _ data: JSONText, done: @escaping @Sendable (Rejection?) -> Void
    ) {
        post(
            .checkpointAttempt(assignment.task, assignment.attempt, data: assignment.redaction.json(data)),
            by: Actor(.worker, id: assignment.workerName)
        ) { error in
            switch error {
            case nil: done(nil)
            case .rejected(let rejection): done(rejection)
            default: done(.unknownLease(assignment.attempt.lease))
            }
        }
    }

    package func log(_ assignment: Assignment, _ level: LogLine.Level, _ text: String) {
        let text = assignment.redaction.text(text)
        guard let line = assignment.logLine(level, text, at: clock.now(), limits) else { return }
        mailbox.post(.logLine(line))
        observers.logLine(line)
    }

    package func heartbeat(_ assignment: Assignment, progress: JSONText?) {
        observers.heartbeat(assignment, progress.map(assignment.redaction.json))
    }

    package func result(
        of step: String, for assignment: Assignment, done: @escaping @Sendable (Result<JSONText, FetchError>) -> Void
    ) {
        guard let index = assignment.plan.index(of: step),
            assignment.plan.isAncestor(index, of: assignment.attempt.step)
        else { return done(.failure(.notAnAncestor(step))) }
        mailbox.post(
            .query(
                { [log] view in
                    let number = view.state[assignment.task]?.steps[index].result ?? .zero
                    do throws(LogError) {
                        guard let result = try log.result(at: number) else { return done(.failure(.noResult(step))) }
                        done(.success(result))
                    } catch { done(.failure(.log(error))) }
                }, refused: { done(.failure(.engine($0))) }))
    }

    package func notice(_ text: String) {
        observers.notice(secrets.redaction.text(text))
    }
}

/// What the engine tells of itself while it runs. Called on the engine's threads; must not block.
package struct Observers: Sendable {
    /// Events that are on disk now.
    package var events: @Sendable ([EventRecord]) -> Void = { _ in }
    /// What a commit took, in nanoseconds, and how many events it brought. A wait for space counts.
    package var commit: @Sendable (_ nanoseconds: Int64, _ events: Int) -> Void = { _, _ in }
    package var logLine: @Sendable (LogLine) -> Void = { _ in }
    package var heartbeat: @Sendable (Assignment, JSONText?) -> Void = { _, _ in }
    /// For the operator: a worker has died, a process was ended.
    package var notice: @Sendable (String) -> Void = { _ in }
    /// The disk is full (the error), or no longer (nil).
    package var storage: @Sendable (LogError?) -> Void = { _ in }
    /// The log has failed, and the engine with it.
    package var failure: @Sendable (LogError) -> Void = { _ in }

    package init() {}
}

/// Runs a body on a thread of its own.
package func onThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { raw in
            Unmanaged<Box>.fromOpaque(raw!).takeRetainedValue().body()
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    pthread_detach(thread)
}

/// Takes the first of two answers.
private final class FirstAnswer: Sendable {
    private let take: Mutex<(@Sendable (Bool) -> Void)?>

    init(_ take: @escaping @Sendable (Bool) -> Void) {
        self.take = Mutex(take)
    }

    func give(_ answer: Bool) {
        let take = take.withLock { take in
            defer { take = nil }
            return take
        }
        take?(answer)
    }
}
