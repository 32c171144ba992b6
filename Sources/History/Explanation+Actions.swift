import StepwellLog
package import StepwellModel

extension Explanation {
    /// What the task's own events do not tell, and is good to know for whoever goes on from there.
    struct Context: Sendable {
        /// Whether the handler of the step that it is about has written anything.
        let hasLogLines: Bool
        /// The newest task of the same name that was submitted before and is complete.
        let lastComplete: TaskSummary?
        /// For each step the event that held its result when the step's last attempt began.
        var given: [SequenceNumber] = []

        /// How many tasks of the name are looked through: those that were submitted last.
        private static let tasksSearched = 1000

        init(_ story: TaskStory, about step: StepIndex?, _ log: any EventReader) throws {
            let report = story.report
            let failed = report.steps.firstIndex { $0.state == .error }
            hasLogLines =
                try (step ?? failed).map { step in
                    try story.attempts(of: step).contains { try log.hasLogLines(of: report.id, $0.lease) }
                } ?? false
            guard failed != nil else {
                lastComplete = nil
                return
            }
            let filter = TaskFilter(
                namespace: report.submission.namespace, name: report.submission.name, state: .complete)
            lastComplete = try log.tasks(matching: filter, limit: Self.tasksSearched)
                .first { $0.first < story.submitted.number }
        }
    }

    /// - Parameter changes: the command changes the task, which is not done in a store of imports.
    mutating func offer(_ command: String, _ purpose: String, changes: Bool = false) {
        let place = changes && activity == .imported ? "in the store that it is from: " : ""
        actions.append(Action(command: command, purpose: place + purpose))
    }

    /// What shows more of a step's attempts.
    mutating func offerLooks(at step: StepIndex) {
        let word = narrator.name(step).shellWord
        if context.hasLogLines { offer("stepwell logs \(short) \(word)", "what the handler wrote") }
        offer(
            "stepwell replay-step \(short) \(word)\(story.template.steps[step].workerOption)",
            "run it again as it was, outside the log")
    }

    /// The ways on from a step that has failed for good.
    /// - Parameter isAlone: nothing is said of the others.
    mutating func offerRepairs(of step: StepIndex, isAlone: Bool = false) {
        let word = narrator.name(step).shellWord
        offerLooks(at: step)
        if let other = context.lastComplete {
            offer(
                "stepwell diff \(other.id.short) \(short)",
                "what differs from the last one that completed, of \(narrator.time(other.submitted))")
        }
        if let timeout = story.timeoutInVain(of: step) {
            offer(
                "stepwell fork \(short) --from \(word) --template NEW.yaml\(workerOption)",
                "when it needs longer than \(timeout): a new task with the results so far and the template in NEW.yaml, with "
                    + "another timeout_seconds", changes: true)
        }
        if story.retryInVain(of: step) == nil {
            offerRetry(isAlone ? " --step \(word)" : "", isAlone: isAlone)
            offerFork(step)
        } else {
            offerFork(step)
            offerRetry(isAlone ? " --step \(word)" : "", isAlone: isAlone)
        }
        offerResolution(of: step)
    }

    /// What a command that goes on with the task needs besides.
    var workerOption: String { activity == .served ? "" : story.template.workerOption }

    mutating func offerUnpause() { offer("stepwell unpause \(short)", "let the task go on", changes: true) }

    mutating func offerResolution(of step: StepIndex) {
        offer(
            "stepwell resolve \(short) \(narrator.name(step).shellWord) --result JSON",
            "go on without it, with this result" + (activity == .served ? "" : "; then 'stepwell resume \(short)'"),
            changes: true)
    }

    private mutating func offerRetry(_ option: String, isAlone: Bool) {
        offer(
            "stepwell retry \(short)\(option)\(workerOption)",
            "when the cause is mended: "
                + (isAlone ? "it begins anew" : "failed steps begin anew, complete ones do not run again"),
            changes: true)
    }

    private mutating func offerFork(_ step: StepIndex) {
        let before = story.template.before(step)
        let purpose =
            before.isEmpty
            ? "when the input is wrong: a new task that runs \(narrator.name(step)) and what comes after it anew, and keeps "
                + "the other results"
            : "when the input or an earlier result is wrong: a new task that runs STEP and what comes after it anew, and "
                + "keeps the other results; STEP is the first that must see the change: \(narrator.names(before + [step]))"
        offer("\(report.forkCommand(for: step))\(workerOption)", purpose, changes: true)
    }
}

extension TaskReport {
    /// The command that begins a new task from this one, in which a step has failed: which step is to run again first, nobody
    /// knows when there are others before it.
    package func forkCommand(for step: StepIndex) -> String {
        let isFirst = template.steps[step].dependencies.isEmpty
        return "stepwell fork \(id.short) --from \(isFirst ? steps[step].name.shellWord : "STEP") --set-input NAME=JSON"
    }
}

extension EventReader {
    /// Whether the attempt with that lease has written anything.
    fileprivate func hasLogLines(of task: TaskID, _ lease: Lease) throws -> Bool {
        var found = false
        let before = LogLinePosition(lease: Lease(lease.rawValue - 1), number: .max)
        try logLines(of: task, after: before) { line in
            found = line.lease == lease
            return false
        }
        return found
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
}
