import StepwellEngine
import StepwellKernel
import StepwellLog
import StepwellModel

extension World {
    /// Does what the scenario says at that place.
    func act(_ place: Int) {
        switch scenario.acts[place].deed {
        case .submit(let task, let plot, let key, let priority, let replacing):
            submit(place, task, plot, key: key, priority: priority, replacing: replacing)
        case .fork(let task, let origin, let step): fork(place, task, of: origin, from: step)
        case .cancel(let task): command(.cancelTask(clients.taskID(task), reason: nil), act: place)
        case .pause(let task): command(.pauseTask(clients.taskID(task), reason: nil), act: place)
        case .resume(let task): command(.resumeTask(clients.taskID(task), reason: nil), act: place)
        case .limit(let setting): command(.setLimit(setting, reason: nil), act: place)
        case .unlimit(let target): command(.removeLimit(target, reason: nil), act: place)
        case .retry(let task, let steps):
            command(.retryTask(clients.taskID(task), steps: steps, reason: nil), act: place)
        case .resolve(let task, let step, let withResult):
            command(
                .resolveStep(clients.taskID(task), step, result: withResult ? .emptyObject : nil, reason: nil),
                act: place)
        case .help(let helper): come(helper)
        case .dismiss(let place):
            guard let engine, !engine.workers.isEmpty else { return }
            die(engine.workers[place % engine.workers.count].id)
        case .setClock(let change):
            figures[change < 0 ? .clocksSetBack : .clocksSetForward] += 1
            epoch += change
            // The loop looks at the clock once a second at least.
            plan(at: now + 1000)
        case .crash(let crash): arm(crash)
        case .fillDisk(let duration):
            figures[.fullDisks] += 1
            disk.isFull = true
            agenda.plan(.freeDisk, at: now + duration)
        case .stop(let grace, let pause, let focus): stop(grace: grace, pause: pause, focus: focus)
        case .forge(let kind): forge(kind)
        }
    }

    private func submit(_ place: Int, _ task: Int, _ plot: Int, key: String?, priority: Int, replacing: Bool) {
        let template = scenario.plots[plot].template
        let submission = Submission(
            template: clients.digest(plot), namespace: template.namespace, name: template.name,
            version: template.version, input: scenario.input, priority: priority, key: key, correlationID: "simulated")
        let command = Command.submitTask(
            clients.taskID(task), submission, template, known: nil, replacing: replacing)
        guard canAsk else { return agenda.plan(.act(place), at: now + 200) }
        send(command, clients.send(act: place, replaces: replacing), by: .client)
    }

    /// Submits a task that adopts what another has, but for one step and all behind it.
    private func fork(_ place: Int, _ task: Int, of origin: Int, from step: Int) {
        guard canAsk, let engine else { return agenda.plan(.act(place), at: now + 200) }
        guard let found = ledger.task(clients.taskID(origin)) else { return }
        let steps = found.template.steps
        var isBehind = [Bool](repeating: false, count: steps.count)
        isBehind[step % steps.count] = true
        for index in Plan(found.template, digest: found.submission.template).dependenciesFirst {
            isBehind[index] = isBehind[index] || steps[index].dependencies.contains { isBehind[$0] }
        }
        let results = steps.indices.filter { !isBehind[$0] && found.steps[$0].isSatisfied }.map { index in
            let origin = found.steps[index].result
            let result = try? engine.log.event(origin)?.event.result
            return AdoptedResult(step: index, result: result ?? .null, origin: origin)
        }
        var submission = found.submission
        submission.key = nil
        submission.forkedFrom = found.id
        submission.adopted = results.map(\.step)
        let command = Command.forkTask(clients.taskID(task), submission, found.template, results: results)
        send(command, clients.send(act: place, replaces: true), by: .client)
    }

    /// Registers somebody for the end of an open task, if it is one still.
    private func wait(for task: TaskID) {
        guard let engine, !engine.hasEnded else { return }
        let outbox = engine.outbox
        post(
            .query(
                { view in
                    guard let state = view.state[task]?.state, state != .blockedByFailures else { return }
                    view.waiters.append((task, { outbox.settle(task, try? $0.get()) }))
                    outbox.register(task)
                }, refused: { _ in }))
    }

    /// What is paused still, when nothing is planned any more, goes on.
    /// - Returns: whether there was anything.
    func endPauses() -> Bool {
        let paused = ledger.tasks.filter { $0.isPaused && !$0.isClosed }
        guard !paused.isEmpty, canAsk else { return false }
        for task in paused { command(.resumeTask(task.id, reason: nil), act: 0) }
        return true
    }

    /// Limits that let nothing start go, when nothing is planned any more.
    /// - Returns: whether there was any.
    func endLimits() -> Bool {
        let closed = ledger.limits.all.values.filter { $0.setting.concurrencyMax == 0 }.sorted { $0.number < $1.number }
        guard !closed.isEmpty, canAsk else { return false }
        for limit in closed { command(.removeLimit(limit.setting.target, reason: nil), act: 0) }
        return true
    }

    private func command(_ command: Command, act: Int) {
        guard canAsk else { return }
        figures[.operatorCommands] += 1
        send(command, clients.send(act: act), by: .operator)
    }

    /// An engine runs, and its disk has space: else a client is refused at once.
    private var canAsk: Bool { engine.map { $0.unwritten == nil && !$0.hasEnded } ?? false }

    private func send(_ command: Command, _ number: Int, by kind: Actor.Kind) {
        guard let outbox = engine?.outbox else { return }
        post(.command(command, by: Actor(kind, id: String(number)), answer: { outbox.answer(number, $0) }))
    }

    /// A client hears what became of its command. Some wait for the end of what they have submitted.
    func hear(_ number: Int, _ error: EngineError?) throws(Violation) {
        try clients.hear(number, isAccepted: error == nil, at: ledger.last)
        if error == nil, number % 2 == 0, let act = clients.submission(number),
            let task = scenario.acts[act].deed.submittedTask
        {
            wait(for: clients.taskID(task))
        }
        // Nobody has refused the task as such.
        if case .log = error, let act = clients.submission(number) { agenda.plan(.act(act), at: now + 300) }
        if case .stopped = error, let act = clients.submission(number) { agenda.plan(.act(act), at: now + 300) }
    }
}

extension Deed {
    /// The number of the task that is submitted.
    var submittedTask: Int? {
        switch self {
        case .submit(let task, _, _, _, _), .fork(let task, _, _): task
        default: nil
        }
    }
}

extension Event {
    /// The result that the event holds.
    fileprivate var result: JSONText? {
        switch self {
        case .attemptSucceeded(_, let result, _): result
        case .operatorResolved(_, let result, _): result
        case .resultAdopted(let adopted): adopted.result
        default: nil
        }
    }
}
