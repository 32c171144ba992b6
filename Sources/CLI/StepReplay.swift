import Stepwell
import StepwellEngine
import StepwellHistory
import StepwellLog
import StepwellModel

/// Runs a recorded attempt again. The log is only read.
struct StepReplay {
    let recorded: RecordedAttempt
    let log: LMDBReader
    /// Instead of the task's.
    let input: JSONText?
    let secrets: SecretStore

    private var assignment: Assignment {
        let now = SystemClock().now()
        return Assignment(
            task: recorded.task, attempt: recorded.attempt, workerName: recorded.story.workerName ?? "",
            plan: recorded.plan, deadline: recorded.step.timeout.map { now.advanced(by: $0) },
            submission: recorded.submission, checkpoint: recorded.checkpoint,
            dependencyResults: recorded.step.dependencies.map { recorded.results[$0] },
            log: input.map { OtherInput(log: log, submission: recorded.submission, input: $0) } ?? log,
            secrets: secrets)
    }

    /// All that the attempt was given and how it ended, as one JSON document.
    func document() throws -> JSONText {
        try assignment.document(results: recorded.results, recorded: recorded.json)
    }

    /// Runs the attempt once.
    /// - Throws: ``WorkerError`` or ``NoHandlerError`` when no worker can run it.
    func run(worker: String?, _ interruption: Once<Void>) async throws -> AttemptOutcome {
        let assignment = assignment
        let rehearsal = Rehearsal(
            assignment, results: recorded.results,
            listener: .init(
                logLine: { level, text in note(level == .info ? "  \(text)" : "  \(level.name): \(text)") },
                checkpoint: { data in note("  checkpoint: \(data.description.cut(to: 500))") },
                notice: { text in note(text) }))
        // No engine of the store must take its processes for what a dead one has left behind.
        let mark = EngineMark(storeID: "replay", start: String(UInt64.random(in: .min ... .max), radix: 16))
        let context = ProcessContext(host: rehearsal, mark: mark)
        defer { context.reactor.stop() }
        note(
            "running \(assignment.step.name), attempt \(assignment.attempt.attempt), as event \(recorded.story.lease) began it"
        )
        guard case .callable(let handler, _) = assignment.step.handler.target else {
            let runner = CommandRunner(context: context, slots: 1)
            interruption.then { runner.kill() }
            return await rehearsal.run()
        }
        guard let worker else { throw NoHandlerError(missing: [handler], offered: []) }
        let supervisor: WorkerSupervisor
        do {
            supervisor = try WorkerSupervisor(worker, context: context)
        } catch {
            throw WorkerError(command: worker, reason: error.description)
        }
        interruption.then { supervisor.kill {} }
        let readiness = await withCheckedContinuation { continuation in
            supervisor.start { continuation.resume(returning: $0) }
        }
        let outcome: Result<AttemptOutcome, any Error>
        switch readiness {
        case .failed(let reason): outcome = .failure(WorkerError(command: worker, reason: reason))
        case .ready(_, let handlers) where !handlers.contains { $0.name == handler }:
            outcome = .failure(NoHandlerError(missing: [handler], offered: handlers.map(\.name)))
        case .ready: outcome = .success(await rehearsal.run())
        }
        await withCheckedContinuation { continuation in
            supervisor.drain(within: rehearsal.limits.stopGrace) { continuation.resume() }
        }
        return try outcome.get()
    }
}

/// The log, but the task was submitted with another input.
private struct OtherInput: EventSource {
    let log: LMDBReader
    let submission: SequenceNumber
    let input: JSONText

    func event(_ number: SequenceNumber) throws(LogError) -> EventRecord? {
        guard var record = try log.event(number), number == submission,
            case .taskSubmitted(var submitted) = record.event
        else { return try log.event(number) }
        submitted.input = input
        record.event = .taskSubmitted(submitted)
        return record
    }
}
