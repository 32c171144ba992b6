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

    package let story: TaskStory
    /// Nil: the whole task.
    package let step: StepIndex?
    /// What the store is to the task.
    let activity: StoreActivity
    /// What only the log tells besides.
    let context: Context
    /// The first says what is, the others why.
    package internal(set) var sentences: [Sentence] = []
    package internal(set) var actions: [Action] = []

    /// More steps of a kind are counted, not listed.
    static let stepsMax = 20

    /// Explains a task, or one step of it.
    /// - Parameters:
    ///   - step: nil: the whole task.
    ///   - log: the store's log; what a step waits for that is enqueued, only the whole of it tells.
    ///   - activity: of the store.
    /// - Throws: ``LogError``, or ``FoldError`` when the events cannot follow each other; nil when there is no such task.
    package static func read(
        _ id: TaskID, step: StepIndex? = nil, from log: any EventReader, activity: StoreActivity
    ) throws -> Explanation? {
        var given: [SequenceNumber] = []
        let story = try TaskStory.read(id, from: log) { record, task in
            guard case .attemptStarted(let start) = record.event, start.step == step, let task else { return }
            given = task.steps.map(\.result)
        }
        guard var story else { return nil }
        try story.report.addWaits(from: log, at: .end)
        if activity == .idle {
            for step in story.report.steps.indices
            where story.report.steps[step].state == .enqueued && story.report.pause == nil {
                story.report.steps[step].wait = .engine
            }
        }
        var context = try Context(story, about: step, log)
        context.given = given
        var explanation = Explanation(story: story, step: step, activity: activity, context: context)
        if let step { explanation.explainStep(step) } else { explanation.explainTask() }
        return explanation
    }

    var narrator: Narrator { Narrator(story) }
    var report: TaskReport { story.report }
    var short: String { story.id.short }

    /// Whether the task would go on if an engine were started.
    private var isIdle: Bool {
        activity != .imported && (activity == .idle || report.steps.contains { $0.wait == .engine })
    }

    // MARK: The task

    private mutating func explainTask() {
        sentences += [verdict, pause].compactMap(\.self)
        switch report.state {
        case .complete, .cancelled: explainTroubles(skipsFailed: false)
        case .blockedByFailures:
            explainFailures()
            explainTroubles(skipsFailed: true)
        default:
            explainFailures()
            explainWaits()
        }
        if let failed = report.steps.firstIndex(where: { $0.state == .error }), !report.state.isClosed {
            offerRepairs(of: failed)
        }
        if !report.state.isClosed {
            if report.pause != nil { offerUnpause() }
            if isIdle, report.state != .blockedByFailures, report.pause == nil {
                offer("stepwell resume \(short)\(workerOption)", "go on where the task was")
            }
            offer("stepwell cancel \(short)", "end the task; nothing more of it runs", changes: true)
        }
    }

    /// What the task is, since when, and how far it has come.
    private var verdict: Sentence {
        let steps = report.steps
        let done = steps.count { $0.state.satisfiesDependents }
        let name = "\(report.submission.name) \(short)"
        let counts =
            "\(done) of \(counted(steps.count, "step")) done, \(counted(story.attempts.count, "attempt")) started"
        var text =
            "\(name) is \(report.state.name): submitted at \(narrator.time(report.submitted)) by "
            + report.submitter.told
        if let closed = report.closed {
            text += ", ended at \(narrator.time(closed)) after \(closed - report.submitted)"
        }
        return Sentence(
            "\(text); \(counts)", [story.submitted.number, story.verdict?.number].compactMap(\.self))
    }

    /// Who has stopped the task, and how it goes on.
    var pause: Sentence? {
        report.pause.map { pause in
            Sentence(
                "paused by \(pause.actor.told) since \(narrator.time(pause.time))"
                    + (pause.reason.map { ": \($0)" } ?? "")
                    + "; resume with 'stepwell unpause \(short)'", [pause.number])
        }
    }

    /// Steps that have failed for good, each with its story and with what it holds up.
    private mutating func explainFailures() {
        let failed = report.steps.indices.filter { report.steps[$0].state == .error }
        let narrator = narrator
        for step in failed.prefix(Self.stepsMax) {
            if let wait = narrator.wait(of: step) {
                sentences.append(
                    Sentence("\(narrator.name(step)) \(wait.text)", wait.events, step: narrator.name(step)))
            }
            sentences += told(step)
            let held = story.template.heldUp(by: step).filter { report.steps[$0].state == .pending }
            if !held.isEmpty {
                sentences.append(
                    Sentence("it holds up \(narrator.names(held))", step: narrator.name(step)))
            }
        }
        if failed.count > Self.stepsMax {
            sentences.append(Sentence("\(counted(failed.count - Self.stepsMax, "more step")) failed for good"))
        }
    }

    /// What the open task's steps wait for.
    private mutating func explainWaits() {
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
        if activity == .imported {
            sentences.append(
                Sentence("so it was when it was exported; it goes on in the store that it is from"))
        } else if isIdle {
            sentences.append(Sentence("no engine is at work on this store: nothing goes on until one is started"))
        }
    }

    /// What was unusual about a task on which nothing goes on.
    private mutating func explainTroubles(skipsFailed: Bool) {
        var isTroubled = report.steps.indices.map { step in
            story.attempts(of: step).count > 1 || report.steps[step].state == .error
        }
        for record in story.actions + story.rejections { for step in record.event.steps { isTroubled[step] = true } }
        let troubled = report.steps.indices.filter { step in
            isTroubled[step] && !(skipsFailed && report.steps[step].state == .error)
        }
        for step in troubled.prefix(Self.stepsMax) { sentences += told(step, isNamed: true) }
        if troubled.count > Self.stepsMax {
            sentences.append(
                Sentence("\(counted(troubled.count - Self.stepsMax, "more step")) took several attempts"))
        }
        sentences += story.actions.filter { $0.event.steps.isEmpty }.map(narrator.action)
    }

    // MARK: A step's story

    /// Attempts, operators' actions and late results, in the order in which they happened.
    /// - Parameter isNamed: the attempts begin with the step's name, and what was about the whole task is left out.
    func told(_ step: StepIndex, isNamed: Bool = false) -> [Sentence] {
        let narrator = narrator
        var all: [(number: SequenceNumber, sentence: Sentence)] = []
        var before: AttemptStory?
        for attempt in story.attempts(of: step) {
            let isAgain = before.map { $0.isLost && $0.start.attempt == attempt.start.attempt } ?? false
            var sentence = narrator.attempt(attempt, isAgain: isAgain)
            if isNamed { sentence.text = "\(narrator.name(step)), \(sentence.text)" }
            all.append((attempt.lease, sentence))
            before = attempt
        }
        for record in story.actions {
            let steps = record.event.steps
            guard steps.contains(step) || steps.isEmpty && !isNamed else { continue }
            all.append((record.number, narrator.action(record)))
        }
        for record in story.rejections where record.event.step == step {
            if let sentence = narrator.rejection(record) { all.append((record.number, sentence)) }
        }
        var sentences = all.sorted { $0.number < $1.number }.map(\.sentence)
        if let retry = story.retryInVain(of: step), let last = story.attempts(of: step).last {
            sentences.append(
                Sentence(
                    "the retry ended as the attempts before it: another one alone will not help",
                    [retry.number, last.endNumber].compactMap(\.self), step: narrator.name(step)))
        } else if let timeout = story.timeoutInVain(of: step) {
            sentences.append(
                Sentence(
                    "it ran out of its \(timeout) each time: a retry alone has the same limit",
                    step: narrator.name(step)))
        }
        return sentences
    }
}

extension TaskStory {
    /// The timeout of a step that has failed for good because each of its attempts ran out of time.
    func timeoutInVain(of step: StepIndex) -> Milliseconds? {
        let attempts = attempts(of: step).filter { !$0.isLost }
        guard report.steps[step].state == .error, attempts.count > 1 else { return nil }
        let areOver = attempts.allSatisfy { if case .timedOut = $0.end { true } else { false } }
        return areOver ? template.steps[step].timeout : nil
    }

    /// The operator's last retry of a step that has failed for good, if it has failed just as it had before.
    func retryInVain(of step: StepIndex) -> EventRecord? {
        guard report.steps[step].state == .error,
            let retry = actions.last(where: { record in
                if case .operatorRetried = record.event { record.event.steps.contains(step) } else { false }
            })
        else { return nil }
        let attempts = attempts(of: step)
        guard let before = attempts.last(where: { $0.lease < retry.number }), let last = attempts.last,
            last.lease > retry.number, before.outcome == last.outcome
        else { return nil }
        return retry
    }
}

extension Event {
    /// The steps that an operator's action or a result is about; none when it is about the whole task.
    fileprivate var steps: [StepIndex] {
        if case .operatorRetried(let steps, _) = self { steps } else { [step].compactMap(\.self) }
    }
}

extension AttemptStory {
    fileprivate var isLost: Bool { if case .lost = end { true } else { false } }
}
