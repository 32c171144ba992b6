import StepwellKernel
package import StepwellLog
package import StepwellModel

/// Why a task, or one of its steps, is where it is, and what can be done.
package struct Explanation: Sendable {
    /// A command that takes the task further, and what it is for.
    package struct Action: Hashable, Sendable {
        package var command: String
        package var purpose: String
    }

    package var story: TaskStory
    /// Nil: the whole task.
    package var step: StepIndex?
    /// The first says what is, the others why.
    package var sentences: [Sentence] = []
    package var actions: [Action] = []

    /// More steps of a kind are counted, not listed.
    private static let stepsMax = 20

    /// Explains a task.
    /// - Parameters:
    ///   - log: the store's log; what a step waits for that is enqueued, only the whole of it tells.
    ///   - isEngineAtWork: whether some process has the store; nil when that is not known.
    /// - Throws: ``LogError``, or ``FoldError`` when the events cannot follow each other; nil when there is no such task.
    package static func read(
        _ id: TaskID, from log: any EventReader, isEngineAtWork: Bool?
    ) throws -> Explanation? {
        guard var story = try TaskStory.read(id, from: log) else { return nil }
        try story.report.addWaits(from: log, at: .end)
        if isEngineAtWork == false {
            for step in story.report.steps.indices where story.report.steps[step].state == .enqueued {
                story.report.steps[step].wait = .engine
            }
        }
        var explanation = Explanation(story: story)
        explanation.explainTask(isEngineAtWork: isEngineAtWork)
        return explanation
    }

    private var narrator: Narrator { Narrator(story) }
    private var report: TaskReport { story.report }
    private var short: String { story.id.short }

    // MARK: The task

    private mutating func explainTask(isEngineAtWork: Bool?) {
        sentences.append(verdict)
        switch report.state {
        case .complete: explainEnd()
        case .cancelled: explainEnd()
        case .blockedByFailures: explainFailures()
        default:
            explainFailures()
            explainWaits(isEngineAtWork: isEngineAtWork)
        }
        if !report.state.isClosed {
            actions.append(
                Action(command: "stepwell cancel \(short)", purpose: "end the task; nothing more of it runs"))
        }
    }

    /// What the task is, since when, and how far it has come.
    private var verdict: Sentence {
        let steps = report.steps
        let done = steps.count { $0.state.satisfiesDependents }
        let name = "\(report.submission.name) \(short)"
        let counts =
            "\(done) of \(counted(steps.count, "step")) done, \(counted(story.attempts.count, "attempt")) started"
        var text = "\(name) is \(report.state.name): submitted at \(narrator.time(report.submitted)) by \(submitter)"
        if let closed = report.closed {
            text += ", ended at \(narrator.time(closed)) after \(closed - report.submitted)"
        }
        return Sentence(
            "\(text); \(counts)", [story.submitted.number, story.verdict?.number].compactMap(\.self))
    }

    private var submitter: String {
        let actor = story.submitted.actor
        return [actor.kind.name, actor.id].filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// Steps that have failed for good, each with its attempts and with what it holds up.
    private mutating func explainFailures() {
        let failed = report.steps.indices.filter { report.steps[$0].state == .error }
        let narrator = narrator
        for step in failed.prefix(Self.stepsMax) {
            if let wait = narrator.wait(of: step) {
                sentences.append(
                    Sentence("\(narrator.name(step)) \(wait.text)", wait.events, step: narrator.name(step)))
            }
            for attempt in story.attempts(of: step) { sentences.append(narrator.attempt(attempt)) }
            let held = story.template.heldUp(by: step).filter { report.steps[$0].state == .pending }
            if !held.isEmpty {
                sentences.append(
                    Sentence("it holds up \(narrator.names(held))", step: narrator.name(step)))
            }
        }
        if failed.count > Self.stepsMax {
            sentences.append(Sentence("\(counted(failed.count - Self.stepsMax, "more step")) failed for good"))
        }
        guard let first = failed.first else { return }
        let word = narrator.name(first).shellWord
        actions += [
            Action(command: "stepwell logs \(short) \(word)", purpose: "what the handler wrote"),
            Action(
                command: "stepwell replay-step \(short) \(word)\(story.template.steps[first].workerOption)",
                purpose: "run it again as it was, outside the log"),
            Action(
                command: "stepwell retry \(short)\(story.template.workerOption)",
                purpose: "when the cause is mended: failed steps begin anew, complete ones do not run again"),
            Action(
                command: "stepwell resolve \(short) \(word) --result JSON",
                purpose: "go on without it, with this result"),
        ]
    }

    /// What the open task's steps wait for.
    private mutating func explainWaits(isEngineAtWork: Bool?) {
        let narrator = narrator
        let waiting = report.steps.indices.filter { step in
            !report.steps[step].state.satisfiesDependents && report.steps[step].state != .error
        }
        for step in waiting.prefix(Self.stepsMax) {
            guard let wait = narrator.wait(of: step) else { continue }
            sentences.append(
                Sentence("\(narrator.name(step)) \(wait.text)", wait.events, step: narrator.name(step)))
        }
        if waiting.count > Self.stepsMax {
            sentences.append(Sentence("\(counted(waiting.count - Self.stepsMax, "more step")) wait"))
        }
        let isIdle = report.steps.contains { $0.wait == .engine }
        guard isEngineAtWork == false || isIdle else { return }
        sentences.append(Sentence("no engine is at work on this store: nothing goes on until one is started"))
        actions.append(
            Action(
                command: "stepwell resume \(short)\(story.template.workerOption)", purpose: "go on where the task was"))
    }

    /// What was unusual about a task that is closed.
    private mutating func explainEnd() {
        let narrator = narrator
        let troubled = report.steps.indices.filter { step in
            story.attempts(of: step).count > 1 || report.steps[step].state == .error
        }
        for step in troubled.prefix(Self.stepsMax) {
            for attempt in story.attempts(of: step) {
                var sentence = narrator.attempt(attempt)
                sentence.text = "\(narrator.name(step)), \(sentence.text)"
                sentences.append(sentence)
            }
        }
        if troubled.count > Self.stepsMax {
            sentences.append(
                Sentence("\(counted(troubled.count - Self.stepsMax, "more step")) took several attempts"))
        }
        sentences += story.rejections.compactMap(narrator.rejection)
        sentences += story.actions.map(narrator.action)
    }
}

extension StepTemplate {
    /// What a command line that runs the step needs besides: a command needs no worker.
    var workerOption: String {
        if case .command = handler.target { "" } else { " --worker COMMAND" }
    }
}

extension Template {
    /// The same for all steps.
    var workerOption: String {
        steps.lazy.map(\.workerOption).first { !$0.isEmpty } ?? ""
    }

    /// All steps that wait, directly or through others, for that one; in the template's order.
    package func heldUp(by step: StepIndex) -> [StepIndex] {
        var dependents = [[StepIndex]](repeating: [], count: steps.count)
        for (index, step) in steps.enumerated() {
            for dependency in step.dependencies { dependents[dependency].append(index) }
        }
        var isHeld = [Bool](repeating: false, count: steps.count)
        var queue = [step]
        while let next = queue.popLast() {
            for dependent in dependents[next] where !isHeld[dependent] {
                isHeld[dependent] = true
                queue.append(dependent)
            }
        }
        return steps.indices.filter { isHeld[$0] }
    }
}

extension String {
    /// The text as one word of a shell.
    package var shellWord: String {
        let plain =
            !isEmpty
            && utf8.allSatisfy { unit in
                switch unit {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
                    UInt8(ascii: "/"),
                    0x80...:
                    true
                default: false
                }
            }
        return plain
            ? self : "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
