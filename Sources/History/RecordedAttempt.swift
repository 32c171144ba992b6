package import StepwellKernel
package import StepwellLog
package import StepwellModel

/// An attempt of the past with everything that it was given, as places in the log: enough to run it again.
package struct RecordedAttempt: Sendable {
    package let task: TaskID
    package let story: AttemptStory
    package let plan: Plan
    /// The task's `task.submitted` event.
    package let submission: SequenceNumber
    /// The checkpoint that it found; zero without one.
    package let checkpoint: SequenceNumber
    /// For each step of the task the event that held its result when the attempt began; zero where there was none.
    package let results: [SequenceNumber]

    package var step: StepTemplate { plan.template.steps[story.start.step] }

    package var attempt: AttemptID {
        AttemptID(
            step: story.start.step, attempt: story.start.attempt, lease: story.lease, worker: story.start.worker)
    }

    /// Reads an attempt of a step: the last that has this number, or the last of all.
    /// - Throws: ``NoAttempt`` when there was none; ``LogError``, or ``FoldError`` when the events cannot follow each other.
    package static func read(
        _ task: TaskID, step: StepIndex, attempt: Int?, from log: any EventReader
    ) throws -> RecordedAttempt {
        var given: (checkpoint: SequenceNumber, results: [SequenceNumber])?
        var lease: Lease?
        var plan: Plan?
        let story = try TaskStory.read(task, from: log) { record, now in
            guard case .attemptStarted(let start) = record.event, start.step == step,
                attempt == nil || attempt == start.attempt, let steps = now?.steps
            else { return }
            lease = record.number
            plan = now?.plan
            given = (steps[step].checkpoint, steps.map(\.result))
        }
        guard let story else { throw NoAttempt(step: "", attempt: attempt) }
        guard let given, let plan, let found = story.attempts.first(where: { $0.lease == lease }) else {
            throw NoAttempt(step: story.template.steps[step].name, attempt: attempt)
        }
        return RecordedAttempt(
            task: task, story: found, plan: plan, submission: story.submitted.number, checkpoint: given.checkpoint,
            results: given.results)
    }
}

/// A step that has never begun, or not so often.
package struct NoAttempt: StepwellError {
    package let step: String
    package let attempt: Int?

    package var code: String { "no_attempt" }
    package var message: String {
        attempt.map { "the step '\(step)' has no attempt \($0)" } ?? "the step '\(step)' has never been started"
    }
    package var cure: String? { "'stepwell explain TASK \(step.shellWord)' tells which attempts there were" }
}

extension RecordedAttempt {
    /// How the attempt ended, as a JSON object: `outcome` and, where there is one, `result`, `error` or `reason`.
    package var json: JSON {
        switch story.end {
        case .succeeded(let result): ["outcome": "succeeded", "result": result.json]
        case .failed(let failure): ["outcome": "failed", "error": failure.json]
        case .timedOut: ["outcome": "timed_out"]
        case .lost(let reason): ["outcome": "lost", "reason": .string(reason.name)]
        case .cancelled: ["outcome": "cancelled"]
        case nil: ["outcome": "running"]
        }
    }
}
