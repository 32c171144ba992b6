package import StepwellLog
package import StepwellModel

/// What two tasks did differently. What always differs, ids and times of day, is left out; how long something took counts only
/// when it differs a lot.
package struct TaskDiff: Sendable {
    /// Two values, one from each task.
    package struct Pair<Value: Sendable>: Sendable {
        package var before: Value
        package var after: Value

        package init(_ before: Value, _ after: Value) {
            self.before = before
            self.after = after
        }
    }

    /// The first place at which the two went apart: the event of each, nil where one had none.
    package struct Divergence: Sendable {
        /// Nil: the submissions themselves differ.
        package var step: String?
        package var events: Pair<EventRecord?>
    }

    /// What one step, known by its name, did differently.
    package struct Step: Sendable {
        package var name: String
        package var state: Pair<StepState>?
        package var result: [JSONChange] = []
        /// How each attempt ended.
        package var attempts: Pair<[String]>?
        /// How long the last attempt took.
        package var duration: Pair<Milliseconds>?
        /// The kind of worker that ran the last attempt, such as `python` or `commands`.
        package var worker: Pair<String>?

        package var isAlike: Bool {
            state == nil && result.isEmpty && attempts == nil && duration == nil && worker == nil
        }
    }

    package var tasks: Pair<TaskStory>
    package var first: Divergence?
    package var template: [JSONChange]
    package var input: [JSONChange]
    package var state: Pair<TaskState>?
    package var duration: Pair<Milliseconds>?
    /// Steps that differ, in the template's order.
    package var steps: [Step]

    package var isAlike: Bool {
        template.isEmpty && input.isEmpty && state == nil && duration == nil && steps.isEmpty && first == nil
    }

    /// Times differ when one is more than this many times the other …
    private static let ratio = 2.0
    /// … and by more than this.
    private static let leastDifference = Milliseconds.seconds(1)

    /// Reads two tasks and compares them. They may be of different templates.
    /// - Throws: ``LogError``, or ``FoldError`` when the events cannot follow each other; nil when one of them is unknown.
    package static func read(_ before: TaskID, _ after: TaskID, from log: any EventReader) throws -> TaskDiff? {
        guard let left = try TaskTrail.read(before, from: log), let right = try TaskTrail.read(after, from: log)
        else { return nil }
        return TaskDiff(left, right)
    }

    private init(_ left: TaskTrail, _ right: TaskTrail) {
        let (before, after) = (left.story, right.story)
        tasks = Pair(before, after)
        template = before.template == after.template ? [] : JSONDiff.changes(before.template.json, after.template.json)
        input = JSONDiff.changes(before.report.submission.input.json, after.report.submission.input.json)
        state = pair(before.report.state, after.report.state)
        duration = Self.times(before.report.duration, after.report.duration)
        steps = []
        let indexes = Dictionary(
            after.report.steps.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        for (index, step) in before.report.steps.enumerated() {
            guard let other = indexes[step.name] else { continue }
            let difference = Self.step(before, index, after, other)
            if !difference.isAlike { steps.append(difference) }
        }
        if template.isEmpty, input.isEmpty {
            first = TaskTrail.divergence(left, right) { indexes[$0] }
        } else {
            first = Divergence(events: Pair(before.submitted, after.submitted))
        }
    }

    private static func step(
        _ before: TaskStory, _ index: StepIndex, _ after: TaskStory, _ other: StepIndex
    ) -> Step {
        let (left, right) = (before.report.steps[index], after.report.steps[other])
        let (tries, otherTries) = (before.attempts(of: index), after.attempts(of: other))
        var step = Step(name: left.name)
        step.state = pair(left.state, right.state)
        if left.result != right.result {
            step.result = JSONDiff.changes(left.result?.json ?? .null, right.result?.json ?? .null)
        }
        step.attempts = pair(tries.map(\.outcome), otherTries.map(\.outcome))
        step.duration = times(tries.last?.duration, otherTries.last?.duration)
        if let last = tries.last, let otherLast = otherTries.last {
            // A worker that never reported an end has no name; then there are the kinds to compare.
            if let family = last.workerFamily, let otherFamily = otherLast.workerFamily {
                step.worker = pair(family, otherFamily)
            } else {
                step.worker = pair(last.start.workerKind.name, otherLast.start.workerKind.name)
            }
        }
        return step
    }

    static func times(_ before: Milliseconds?, _ after: Milliseconds?) -> Pair<Milliseconds>? {
        guard let before, let after else { return nil }
        let (shorter, longer) = (min(before, after).rawValue, max(before, after).rawValue)
        guard longer - shorter > leastDifference.rawValue, Double(longer) > ratio * Double(shorter) else { return nil }
        return Pair(before, after)
    }
}

/// Both, if they differ.
private func pair<Value: Equatable & Sendable>(_ before: Value, _ after: Value) -> TaskDiff.Pair<Value>? {
    before == after ? nil : TaskDiff.Pair(before, after)
}

extension TaskReport {
    /// From the submission to the end, of a task that is closed.
    fileprivate var duration: Milliseconds? { closed.map { $0 - submitted } }
}

extension AttemptStory {
    /// How it ended, without what always differs.
    package var outcome: String {
        switch end {
        case .succeeded: "succeeded"
        case .failed(let failure): "failed: \(failure.sentence)"
        case .timedOut: "timed out"
        case .lost(let reason): "lost: \(reason.sentence)"
        case .cancelled: "cancelled"
        case nil: "runs"
        }
    }

    /// `python` of `python#3`.
    fileprivate var workerFamily: String? { workerName.map { String($0.prefix { $0 != "#" }) } }
}
