import StepwellEngine
import StepwellKernel
import StepwellLog
import StepwellModel

extension World {
    // MARK: Coming and going

    func come(_ helper: Helper) {
        guard let engine, !engine.hasEnded, engine.workers.count < 12 else { return }
        engine.workerCount += 1
        let id = WorkerID(engine.workerCount)
        engine.workers.append((id, helper))
        let join = WorkerJoin(
            worker: id, name: "worker#\(id.rawValue)", kind: helper.kind,
            handlers: helper.handlers.map { HandlerVersion(name: $0, version: "1") }, slots: helper.slots,
            namespaces: helper.namespaces)
        post(.join(join, SimulatedRunner(engine.outbox)))
    }

    /// A worker's process ends, and is started again after a while.
    func die(_ worker: WorkerID) {
        guard let engine, let place = engine.workers.firstIndex(where: { $0.id == worker }) else { return }
        let helper = engine.workers.remove(at: place).helper
        hands.drop(of: worker, life: engine.life)
        post(.command(.loseWorker(worker, reason: "killed"), by: .engine, answer: nil))
        agenda.plan(.come(helper, life: engine.life), at: now + Int64(random.number(1...200)))
    }

    // MARK: Attempts

    /// A worker gets an attempt. What comes of it follows from the scenario's seed and the place of the attempt alone.
    func take(_ assignment: Assignment, life: Int) {
        let (task, attempt) = (assignment.task, assignment.attempt)
        readPayloads(assignment)
        let number = clients.number(task)
        let run = hands.take(Hands.Hand(assignment: assignment, life: life, repeats: false))
        var random = SplitMix64(
            seed: scenario.seed, 4, UInt64(number), UInt64(place(of: attempt.step, in: assignment)), UInt64(run))
        let duration = Int64(random.skewed(1...max(1, conduct.duration)))
        let isRepeating = random.chance(conduct.repeats)
        if random.chance(conduct.logs) { plan(.logLine, of: assignment, at: now + duration / 3, life) }
        if random.chance(conduct.checkpoints) { plan(.checkpoint, of: assignment, at: now + duration / 2, life) }
        if random.chance(conduct.kills), kind(of: attempt.worker) == .process {
            return agenda.plan(.die(attempt.worker, life: life), at: now + duration)
        }
        if random.chance(conduct.killsEngine) {
            let crash = Crash(operations: 0, patience: 0, powerFails: random.chance(50), pause: 10)
            agenda.plan(.crash(crash, life: life), at: now + duration)
        }
        if random.chance(conduct.hangs) {
            // It ends by itself in the end: a step without a timeout may take as long as it likes.
            let end = now + (assignment.deadline == nil ? 20 * duration : 100 * duration + 100_000)
            return plan(.end(success(number, attempt)), of: assignment, at: end, life)
        }
        let outcome =
            random.chance(conduct.fails) ? failure(&random) : success(number, attempt)
        plan(.end(outcome), of: assignment, at: now + duration, life)
        if isRepeating {
            let second = random.chance(50) ? outcome : random.chance(50) ? failure(&random) : success(-1, attempt)
            plan(.end(second), of: assignment, at: now + duration + Int64(random.skewed(0...900)), life, isStray: true)
        }
    }

    private func plan(
        _ content: Report.Content, of assignment: Assignment, at time: Int64, _ life: Int, isStray: Bool = false
    ) {
        let report = Report(
            task: assignment.task, attempt: assignment.attempt, content: content, life: life, isStray: isStray)
        agenda.plan(.report(report), at: time)
    }

    private func kind(of worker: WorkerID) -> WorkerJoin.Kind? {
        engine?.workers.first { $0.id == worker }?.helper.kind
    }

    private func place(of step: StepIndex, in assignment: Assignment) -> Int {
        let digest = assignment.plan.digest
        guard let plot = scenario.plots.indices.first(where: { clients.digest($0) == digest }) else { return step }
        return scenario.plots[plot].places[step]
    }

    private func success(_ task: Int, _ attempt: AttemptID) -> AttemptOutcome {
        .succeeded(
            JSONText(trusted: Array("{\"task\":\(task),\"step\":\(attempt.step)}".utf8)), metadata: nil)
    }

    private func failure(_ random: inout SplitMix64) -> AttemptOutcome {
        .failed(
            Failure(
                message: "no", retryable: !random.chance(conduct.failsForGood),
                retryAfter: random.chance(conduct.asksForWait) ? Milliseconds(Int64(random.number(-5...3000))) : nil))
    }

    /// The engine tells a worker to end an attempt.
    func told(_ stop: Outbox.Stop, life: Int) {
        guard let hand = hands[stop.lease], hand.life == life else { return }
        let (assignment, lease) = (hand.assignment, stop.lease)
        var random = SplitMix64(seed: scenario.seed, 5, UInt64(clients.number(assignment.task)), lease.rawValue)
        // It may have been about to report all the same.
        let isLate = random.chance(conduct.repeats)
        let content: AttemptOutcome =
            isLate ? success(clients.number(assignment.task), assignment.attempt) : .stopped
        plan(.end(content), of: assignment, at: now + Int64(random.number(1...60)), life)
    }

    /// A report reaches the engine, if there is still somebody to send it and somebody to hear it.
    func deliver(_ report: Report) {
        guard let engine, !engine.hasEnded else { return }
        let (lease, isHeld) = (report.attempt.lease, hands[report.attempt.lease] != nil)
        if report.life != engine.life {
            var random = SplitMix64(seed: scenario.seed, 6, lease.rawValue)
            guard isHeld, random.chance(conduct.outlives) else { return hands.drop(lease) }
            figures[.strayReports] += 1
        } else if report.isStray {
            figures[.strayReports] += 1
        } else if !isHeld {
            return
        }
        let actor = Actor(.worker, id: "worker#\(report.attempt.worker.rawValue)")
        switch report.content {
        case .end(let outcome):
            hands.drop(lease)
            post(.command(.finishAttempt(report.task, report.attempt, outcome), by: actor, answer: nil))
        case .checkpoint:
            let data = JSONText(trusted: Array("{\"lease\":\(lease.rawValue)}".utf8))
            post(.command(.checkpointAttempt(report.task, report.attempt, data: data), by: actor, answer: nil))
        case .logLine:
            guard let line = hands[lease]?.assignment.logLine(.info, "at work", at: wall, Limits()) else { return }
            post(.logLine(line))
        }
    }

    /// Somebody reports an end of what he does not hold.
    func forge(_ kind: Int) {
        let held = hands.held
        guard let hand = held.first else { return }
        figures[.strayReports] += 1
        var (task, attempt) = (hand.assignment.task, hand.assignment.attempt)
        switch kind {
        case 0: attempt.lease = held[held.count / 2].assignment.attempt.lease
        case 1: attempt.step += 1
        case 2: attempt.worker = WorkerID(99)
        case 3: attempt.attempt += 1
        default: task = clients.taskID(clients.number(task) + 1)
        }
        // All that is forged is a valid report, if by chance it names what is held.
        if task == hand.assignment.task, attempt == hand.assignment.attempt { hands.drop(attempt.lease) }
        post(
            .command(
                .finishAttempt(task, attempt, success(-2, attempt)), by: Actor(.worker, id: "forger"), answer: nil))
    }
}
