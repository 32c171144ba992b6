import StepwellModel

/// A report for people: the task, its steps as a tree, and what is wrong or awaited.
package struct ReportText {
    let report: TaskReport
    let isColored: Bool
    let showsDetails: Bool
    /// Of the store that the report is from. Nil: it is of the past, and nothing is advised.
    let activity: StoreActivity?

    package init(
        report: TaskReport, isColored: Bool = false, showsDetails: Bool = false, activity: StoreActivity? = nil
    ) {
        self.report = report
        self.isColored = isColored
        self.showsDetails = showsDetails
        self.activity = activity
    }

    package var text: String {
        var lines = [heading]
        let tree = TaskTree(report.template)
        let width = tree.lines.map { $0.branch.count + report.steps[$0.step].name.count }.max() ?? 0
        for line in tree.lines {
            lines.append(stepLine(line, width: width))
        }
        let troubles = report.steps.filter { $0.state == .error || $0.state == .waitingForRetry }
        for step in troubles { lines += failureLines(step) }
        if showsDetails { lines += descriptionLines }
        return (lines + advice).joined(separator: "\n")
    }

    /// How a task that is blocked or paused goes on.
    private var advice: [String] {
        guard let activity else { return [] }
        let place = activity == .imported ? "in the store that it is from, " : ""
        if report.pause != nil {
            let then = activity == .served ? "" : ", then 'stepwell resume',"
            return ["", "paused: \(place)'stepwell unpause \(report.id.short)'\(then) goes on with it"]
        }
        guard report.state == .blockedByFailures,
            let failed = report.steps.firstIndex(where: { $0.state == .error })
        else { return [] }
        return [
            "", "blocked: \(place)mend the cause, then 'stepwell retry \(report.id.short)';",
            "  if the input or an earlier result is wrong, '\(report.forkCommand(for: failed))'",
        ]
    }

    private var heading: String {
        let submission = report.submission
        var text =
            "\(report.id)  \(submission.namespace)/\(submission.name) \(submission.version)  "
            + report.state.name.colored(report.state.color, if: isColored)
        if let key = submission.key { text += "  key \(key)" }
        text += "  submitted \(report.submitted)"
        if let closed = report.closed { text += "  took \(closed - report.submitted)" }
        if let reason = report.cancelReason { text += "\ncancelled: \(reason)" }
        if let pause = report.pause {
            text += "\npaused by \(pause.actor.told) since \(pause.time)" + (pause.reason.map { ": \($0)" } ?? "")
        }
        if let origin = submission.forkedFrom { text += "\nforked from \(origin)" }
        if !report.forks.isEmpty { text += "\nforks \(report.forks.map(\.description).joined(separator: ", "))" }
        if showsDetails {
            text += "\nsubmitted by \(report.submitter.told)"
            if let description = report.template.description { text += "\n\(description)" }
            for detail in report.template.details.json.members ?? [] {
                text += "\n\(detail.name) \(JSONText(detail.value).description.cut(to: 500))"
            }
            if submission.priority != 0 { text += "\npriority \(submission.priority)" }
            if !submission.tags.isEmpty { text += "\ntags \(submission.tags.joined(separator: ", "))" }
            text += "\ninput \(submission.input.description.cut(to: 500))"
        }
        return text
    }

    private func stepLine(_ line: TaskTree.Line, width: Int) -> String {
        let step = report.steps[line.step]
        let name = (line.branch + step.name).padded(to: width)
        return "  \(step.state.symbol.colored(step.state.color, if: isColored)) \(name)  "
            + step.state.name.padded(to: 17).colored(step.state.color, if: isColored) + " " + step.facts
    }

    /// What the template says of its steps.
    private var descriptionLines: [String] {
        let described = report.template.steps.compactMap { step -> String? in
            let details = step.details == .emptyObject ? nil : step.details.description.cut(to: 500)
            let words = [step.description, details].compactMap(\.self)
            return words.isEmpty ? nil : "  \(step.name): \(words.joined(separator: "  "))"
        }
        return described.isEmpty ? [] : ["", "steps:"] + described
    }

    private func failureLines(_ step: StepReport) -> [String] {
        guard let failure = step.failure else { return [] }
        var lines = ["", "\(step.name): \(failure.message) [\(failure.errorType)]".colored(.red, if: isColored)]
        if let reason = step.failureReason { lines.append("  final: \(reason.sentence)") }
        // Of the past this is all that is shown; of what is tried again anyway, its words are enough.
        let isLastWord = activity == nil && step.state == .error
        if showsDetails || isLastWord, let backtrace = failure.backtrace {
            lines += backtrace.split(separator: "\n").map { "  | \($0)" }
        }
        return lines
    }
}

extension StepReport {
    /// Attempts, duration, and what the step waits for, in a few words.
    package var facts: String {
        var facts: [String] = []
        if attempts > 0 {
            facts.append(attempts == 1 && state == .complete ? "1 attempt" : "attempt \(attempts) of \(attemptsMax)")
            // An operator's retry has begun to count anew.
            if starts - losses > attempts { facts.append("\(starts - losses) in all") }
        }
        if let adopted {
            facts.append(adopted == .zero ? "result given with the fork" : "result adopted from \(adopted)")
        }
        if losses > 0 { facts.append("lost \(losses)") }
        if let started, let completed {
            facts.append("\(completed - started)" + (starts - losses > attempts ? " from first to last" : ""))
        }
        switch state {
        case .waitingForRetry: if let due { facts.append("next attempt at \(due.timeOfDay)") }
        case .enqueued: facts.append("waits for a free worker")
        case .pending where !waitsFor.isEmpty: facts.append("waits for \(waitsFor.listed)")
        case .resolvedManually: facts.append("resolved by hand" + (resolvedReason.map { ": \($0)" } ?? ""))
        default: break
        }
        return facts.joined(separator: ", ")
    }
}
