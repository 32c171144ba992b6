import StepwellKernel
package import StepwellModel

/// Tells in words what a task's steps did and what they wait for. Times on the day of the submission stand without it.
package struct Narrator {
    let story: TaskStory

    package init(_ story: TaskStory) { self.story = story }

    package func name(_ step: StepIndex) -> String { story.template.steps[step].name }
    package func names(_ steps: some Sequence<StepIndex>) -> String { steps.map(name).listed }
    package func time(_ time: Timestamp) -> String { time.told(on: story.report.submitted) }

    /// What a step waits for, as what is said behind its name, and the events that tell it; nil when it is final.
    package func wait(of step: StepIndex) -> Sentence? {
        let report = story.report.steps[step]
        let since = [story.since[step]?.number].compactMap(\.self)
        switch report.wait {
        case .dependencies(let missing):
            // One look ahead: a chain of steps that wait for each other has no end that anybody reads.
            guard let only = missing.first, missing.count == 1, story.report.steps[only].state != .pending,
                let reason = wait(of: only)
            else { return Sentence("waits for \(names(missing))", since) }
            return Sentence("waits for \(name(only)), which \(reason.text)", reason.events)
        case .failure(let failed):
            return Sentence(
                "is held up by \(name(failed)), which has failed for good",
                [story.since[failed]?.number].compactMap(\.self))
        case .retry(let due):
            let last = story.attempts(of: step).last
            return Sentence(
                "waits for attempt \(report.attempts + 1) of \(report.attemptsMax), due \(time(due))"
                    + (last.flatMap(ending).map { ", after attempt \(report.attempts) \($0)" } ?? ""),
                [last?.endNumber].compactMap(\.self) + since)
        case .attempt(let attempt, let worker, let deadline):
            let last = story.attempts(of: step).last
            let name = "attempt \(attempt.attempt) of \(report.attemptsMax) on \(attempt.worker.told(worker?.name))"
            if let end = last.flatMap(ending) {
                return Sentence(
                    "has ended, and what follows is decided next: \(name) \(end)",
                    since + [last?.endNumber].compactMap(\.self))
            }
            return Sentence(
                "runs: \(name)" + (last.map { " since \(time($0.started))" } ?? "")
                    + (deadline.map { ", at most until \(time($0))" } ?? ""), since)
        case .person:
            let why = report.failureReason.map { " (\($0.sentence))" } ?? ""
            let failure = report.failure.map { ": \($0.sentence)" } ?? ""
            return Sentence("has failed for good\(why)\(failure)", since)
        case .pause: return Sentence("is enqueued, but the task is paused", since)
        case .engine: return Sentence("is enqueued, but no engine is at work", since)
        case .focus(let task):
            return Sentence("is enqueued, but the engine works on task \(task.short) alone", since)
        case .handler(let name, let namespace):
            let what = name.map { "no worker offers the handler '\($0)'" } ?? "nobody runs commands"
            let place = namespace.map { " in the namespace '\($0)'" } ?? ""
            return Sentence("is enqueued, but \(what)\(place)", since)
        case .place(let workers):
            return Sentence("is enqueued, but all places of \(workers.map(\.name).listed) are taken", since)
        case .limit(let setting, let due):
            let until =
                due.map { "its rate of \(setting.rate?.description ?? "") lets the next attempt start at \(time($0))" }
                ?? "\(counted(setting.concurrencyMax ?? 0, "attempt")) at once is all that it allows"
            return Sentence("is enqueued, but waits for the limit of \(setting.target): \(until)", since)
        case .turn: return Sentence("goes on with the next decision", since)
        case nil: return report.state == .enqueued ? Sentence("waits for a worker", since) : nil
        }
    }

    /// How an attempt ended, such as `failed after 1.2 s: unavailable: 503`; nil while it runs.
    package func ending(_ attempt: AttemptStory) -> String? {
        guard let end = attempt.end, let duration = attempt.duration else { return nil }
        switch end {
        case .succeeded(let result): return "succeeded after \(duration) with \(counted(result.bytes.count, "byte"))"
        case .failed(let failure): return "failed after \(duration): \(failure.sentence)"
        case .timedOut: return "timed out after \(duration)"
        case .lost(let reason): return "was lost after \(duration): \(reason.sentence)"
        case .cancelled: return "was cancelled after \(duration)"
        }
    }

    /// The attempt and its end in one sentence.
    /// - Parameter isAgain: an attempt of the same number was lost before it.
    package func attempt(_ attempt: AttemptStory, isAgain: Bool = false) -> Sentence {
        let start = attempt.start
        let worker = start.worker.told(attempt.workerName)
        let saved = attempt.checkpoints.isEmpty ? "" : ", saved \(counted(attempt.checkpoints.count, "checkpoint"))"
        return Sentence(
            "attempt \(start.attempt)\(isAgain ? ", again," : "") on \(worker) at \(time(attempt.started))\(saved): \(ending(attempt) ?? "runs")",
            [attempt.lease] + attempt.checkpoints + [attempt.endNumber].compactMap(\.self), step: name(start.step))
    }

    /// What an operator did.
    package func action(_ record: EventRecord) -> Sentence {
        let (what, reason): (String, String?) =
            switch record.event {
            case .operatorRetried(let steps, let reason): ("retried \(names(steps))", reason)
            case .operatorResolved(let step, let result, let reason):
                ("resolved \(name(step)) by hand" + (result == nil ? " without a result" : ""), reason)
            case .operatorCancelled(let reason): ("cancelled the task", reason)
            case .operatorPaused(let reason): ("paused the task", reason)
            case .operatorResumed(let reason): ("ended the pause", reason)
            default: (record.event.step.map(name) ?? "", nil)
            }
        return Sentence(
            "\(record.actor.told) \(what) at \(time(record.time))" + (reason.map { ": \($0)" } ?? ""), [record.number],
            step: record.event.step.map(name))
    }

    /// What came too late or twice.
    package func rejection(_ record: EventRecord) -> Sentence? {
        guard case .resultRejected(let attempt, let rejected) = record.event else { return nil }
        return Sentence(
            "a late \(rejected.succeeded ? "result" : "failure") of \(name(attempt.step)), attempt \(attempt.attempt), was "
                + "rejected at \(time(record.time)): \(rejected.reason.sentence)", [record.number],
            step: name(attempt.step))
    }
}

/// A sentence about the log, and the events that bear it out.
package struct Sentence: Hashable, Sendable, CustomStringConvertible {
    package var text: String
    package var events: [SequenceNumber]
    /// The step that it is about, if it is about one.
    package var step: String?

    package init(_ text: String, _ events: [SequenceNumber] = [], step: String? = nil) {
        // Handlers and operators may have written anything.
        self.text = text.printable
        self.events = events
        self.step = step
    }

    package var description: String {
        events.isEmpty ? text : "\(text) (\(events.map(\.description).joined(separator: ", ")))"
    }
}
