package import StepwellKernel
package import StepwellLog
package import StepwellModel

/// Turns the kernel's crank: letters in, one commit, effects out. Synchronous and without a thread of its own, so that tests
/// and the simulation drive it with a clock of theirs.
package final class Loop {
    private var state: State
    private let log: any EventLog
    private var runners: [WorkerID: any AttemptRunner] = [:]
    private var waiters: [TaskID: [@Sendable (Result<TaskState, EngineError>) -> Void]] = [:]
    private var idleCalls: [@Sendable () -> Void] = []
    private var snapshots: SnapshotPolicy
    private var clock: LogClock
    private let observe: @Sendable ([EventRecord]) -> Void
    private let secrets: SecretStore?

    /// What a turn wants to write, and what it will do when that is on disk.
    package struct Pending {
        var batch = LogBatch()
        var effects: [Effect] = []
        var answers: [(Letter.Answer, EngineError?)] = []
        var queries: [(ask: @Sendable (inout LoopView) -> Void, refused: @Sendable (EngineError) -> Void)] = []
    }

    /// - Parameter monotonic: what the clock that nobody sets says now.
    package init(
        state: State, log: any EventLog, at monotonic: Milliseconds, snapshots: SnapshotPolicy = SnapshotPolicy(),
        secrets: SecretStore? = nil,
        observe: @escaping @Sendable ([EventRecord]) -> Void = { _ in }
    ) {
        self.state = state
        self.log = log
        clock = LogClock(from: state.time, at: monotonic)
        self.observe = observe
        self.snapshots = snapshots
        self.secrets = secrets
    }

    /// When the next timer comes due.
    package var nextDue: Timestamp? { state.nextDue() }

    /// How long it takes until the next timer comes due, if nobody sets the clock.
    package func timeToNextDue(at reading: ClockReading) -> Milliseconds? {
        nextDue.map { clock.delay(until: $0, at: reading) }
    }

    package var runningAttemptCount: Int { state.runningAttemptCount }

    /// One whole turn.
    /// - Throws: what ``EventLog/append(_:)`` throws; nothing has left the engine then.
    package func turn(_ letters: [Letter], at reading: ClockReading) throws(LogError) {
        let pending = prepare(letters, at: reading)
        try commit(pending)
        release(pending)
    }

    // MARK: The three parts of a turn

    /// Decides on every letter and every timer that is due.
    package func prepare(_ letters: [Letter], at reading: ClockReading) -> Pending {
        var pending = Pending()
        let time = clock.time(at: reading)
        var turn = Turn(time: time)
        let before = state.registered
        if clock.isSetBack {
            state.perform(Fact(clampedFrom: reading.wall, to: time), by: .engine, in: &turn)
        }
        for letter in letters { read(letter, &turn, &pending) }
        state.performDueTimers(in: &turn)
        state.end(&turn)
        pending.batch.events = turn.records
        if state.registered > before { pending.batch.registered = state.registered }
        pending.batch.tasks = turn.summaries
        pending.batch.limits = turn.limits
        pending.batch.limitsGone = turn.limitsGone
        pending.batch.snapshots = snapshots.due(after: turn.summaries, in: state)
        pending.effects = turn.effects
        return pending
    }

    /// Writes it down. May be called again with the same pending turn after ``LogError/diskFull(path:)``.
    package func commit(_ pending: Pending) throws(LogError) {
        guard !pending.batch.isEmpty else { return }
        try log.append(pending.batch)
    }

    /// What was waiting for the disk: answers, attempts, news.
    package func release(_ pending: Pending) {
        for (answer, error) in pending.answers { answer(error) }
        for effect in pending.effects { perform(effect) }
        if !pending.batch.events.isEmpty { observe(pending.batch.events) }
        callWhenIdle()
        // Last, so that whoever asks sees nothing that is not on disk.
        for query in pending.queries {
            var view = LoopView(state: state)
            query.ask(&view)
            for (task, call) in view.waiters { waiters[task, default: []].append(call) }
        }
    }

    /// What is said of a turn that cannot be written: nothing of it has happened.
    package func abandon(_ pending: Pending, because error: EngineError) {
        for (answer, refusal) in pending.answers { answer(refusal ?? error) }
        for query in pending.queries { query.refused(error) }
    }

    /// The last call: whoever still waits for something hears that it will not come.
    package func end(_ error: EngineError) {
        let calls = waiters.values.flatMap(\.self)
        waiters = [:]
        for call in calls { call(.failure(error)) }
        let idle = idleCalls
        idleCalls = []
        for call in idle { call() }
        // They know the engine, which knows the loop: it would hold on to its store for ever.
        runners = [:]
    }

    // MARK: Letters

    private func read(_ letter: Letter, _ turn: inout Turn, _ pending: inout Pending) {
        switch letter {
        case .command(let command, let actor, let answer):
            let error = perform(command, by: actor, &turn, &pending)
            if let answer { pending.answers.append((answer, error)) }
        case .batch(let commands, let actor, let answer): perform(commands, by: actor, answer, &turn, &pending)
        case .join(let join, let runner):
            runners[join.worker] = runner
            _ = perform(.joinWorker(join), by: Actor(.worker, id: join.name), &turn, &pending)
        case .logLine(let line): pending.batch.logLines.append(line)
        case .query(let ask, let refused): pending.queries.append((ask, refused))
        case .question(let ask, let refused): pending.queries.append(({ ask($0.state) }, refused))
        }
    }

    private func perform(
        _ command: Command, by actor: Actor, _ turn: inout Turn, _ pending: inout Pending
    ) -> EngineError? {
        if case .loseWorker(let worker, _) = command, runners.removeValue(forKey: worker) == nil { return nil }
        do {
            let closed = try closedTask(of: command, turn)
            let complete = try completed(command)
            do {
                let template = newTemplate(of: command)
                try state.perform(complete, by: actor, closed: closed, in: &turn)
                // Not before: the log keeps no template of a submission that was refused.
                if let template { pending.batch.templates.append(template.encoded()) }
                if case .pruneTasks(let ids, _) = complete { pending.batch.pruned += ids }
                return nil
            } catch { return .rejected(error) }
        } catch { return .log(error) }
    }

    /// Performs all of the commands, or none. One whose key has a task already is not at fault: that task stands for it.
    private func perform(
        _ commands: [Command], by actor: Actor, _ answer: @escaping Letter.BatchAnswer, _ turn: inout Turn,
        _ pending: inout Pending
    ) {
        var owners = [TaskID?](repeating: nil, count: commands.count)
        for (index, command) in commands.enumerated() {
            do throws(EngineError) {
                try check(command, turn)
            } catch .rejected(.duplicateKey(_, let owner)) {
                owners[index] = owner
            } catch {
                return pending.answers.append(
                    ({ answer(.failure(BatchRefusal(index: index, error: $0 ?? error))) }, error))
            }
        }
        for (command, owner) in zip(commands, owners) where owner == nil {
            let refusal = perform(command, by: actor, &turn, &pending)
            precondition(refusal == nil, "a command that was checked is refused")
        }
        pending.answers.append(
            (
                { [owners] error in
                    answer(error.map { .failure(BatchRefusal(index: nil, error: $0)) } ?? .success(owners))
                }, nil
            )
        )
    }

    /// Whether a command would be accepted now.
    private func check(_ command: Command, _ turn: Turn) throws(EngineError) {
        let (complete, closed): (Command, TaskSummary?)
        do throws(LogError) {
            closed = try closedTask(of: command, turn)
            complete = try completed(command)
        } catch { throw .log(error) }
        do throws(Rejection) { _ = try state.decide(complete, closed: closed) } catch { throw .rejected(error) }
    }

    /// What the log's index knows of the command's task when the state has let it go.
    private func closedTask(of command: Command, _ turn: Turn) throws(LogError) -> TaskSummary? {
        guard let id = command.task, state[id] == nil else { return nil }
        return try log.task(id)
    }

    /// The template that a submission brings, if the state has not met it.
    private func newTemplate(of command: Command) -> Template? {
        if case .registerTemplate(let template, _) = command { return template }
        guard let (submission, template) = command.submitted, state.plan(submission.template) == nil else { return nil }
        return template
    }

    /// Adds what only the log knows: to a submission who has the key, to a pruning what leaves.
    private func completed(_ command: Command) throws(LogError) -> Command {
        if case .pruneTasks(let ids, var pruning) = command {
            var tasks: [TaskSummary] = []
            for id in ids {
                guard let task = try log.task(id), task.state.isClosed, task.changed < pruning.before else { continue }
                tasks.append(task)
            }
            pruning.taskCount = tasks.count
            pruning.eventCount = tasks.reduce(0) { $0 + Int($1.eventCount) }
            return .pruneTasks(tasks.map(\.id), pruning)
        }
        guard case .submitTask(let id, let submission, let template, nil, false) = command, let key = submission.key
        else { return command }
        let owner = try log.task(namespace: submission.namespace, name: submission.name, key: key)
        return .submitTask(id, submission, template, known: owner, replacing: false)
    }

    // MARK: Effects

    private func perform(_ effect: Effect) {
        switch effect {
        case .deliver(let delivery):
            runners[delivery.attempt.worker]?.run(Assignment(delivery, log: log, secrets: secrets))
        case .stop(let lease, let worker, let timedOut):
            runners[worker]?.stop(lease, because: timedOut ? .timeout : .cancelled)
        case .reject(let lease, let worker, let reason): runners[worker]?.rejected(lease, because: reason)
        case .settled(let task, let taskState):
            for call in waiters.removeValue(forKey: task) ?? [] { call(.success(taskState)) }
        }
    }

    /// Asks every runner to end what it runs.
    package func stopAttempts() {
        for entry in state.runningAttempts { runners[entry.worker]?.stop(entry.lease, because: .shutdown) }
    }

    /// Calls once nothing runs.
    package func whenIdle(_ call: @escaping @Sendable () -> Void) {
        idleCalls.append(call)
        callWhenIdle()
    }

    private func callWhenIdle() {
        guard !idleCalls.isEmpty, state.runningAttempts.isEmpty else { return }
        let calls = idleCalls
        idleCalls = []
        for call in calls { call() }
    }

    package func drainRunners() {
        for worker in state.workerIDs { runners[worker]?.drain() }
    }
}

extension Command {
    /// The task that the command is about.
    fileprivate var task: TaskID? {
        switch self {
        case .startEngine, .drainEngine, .stopEngine, .registerTemplate, .setLimit, .removeLimit, .pruneTasks,
            .joinWorker,
            .loseWorker:
            nil
        case .submitTask(let id, _, _, _, _), .forkTask(let id, _, _, _), .finishAttempt(let id, _, _),
            .checkpointAttempt(let id, _, _),
            .retryTask(let id, _, _), .cancelTask(let id, _), .pauseTask(let id, _), .resumeTask(let id, _),
            .resolveStep(let id, _, _, _):
            id
        }
    }
}
