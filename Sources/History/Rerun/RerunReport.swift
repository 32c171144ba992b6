import StepwellKernel
import StepwellLog
package import StepwellModel

/// What a recorded run would come to today: the recording beside the same run gone through again.
package struct RerunReport: Sendable {
    package enum Verdict: String, Sendable, CaseIterable {
        /// The same attempts, with the same ends.
        case alike
        /// It comes to the same end by another way.
        case changed
        /// It comes to another end, or cannot be submitted.
        case different
    }

    package let task: TaskID
    /// As it was recorded.
    package let template: Template
    package let state: TaskDiff.Pair<TaskState?>
    /// From the submission to the last event.
    package let duration: TaskDiff.Pair<Milliseconds>
    /// What is another end, in sentences.
    package private(set) var differences: [String] = []
    /// What is another way to the same end.
    package private(set) var changes: [String] = []
    /// What the recording does not tell, and what was taken for it.
    package private(set) var assumptions: [String] = []

    package var verdict: Verdict {
        if !differences.isEmpty { return .different }
        return changes.isEmpty ? .alike : .changed
    }

    /// Goes through a run again.
    /// - Parameter template: nil: the one that it had.
    package init(_ run: RecordedRun, with template: Template? = nil) {
        let recorded = run.story.report
        let given = template ?? recorded.template
        task = run.story.id
        self.template = recorded.template
        let took = run.story.last.time - recorded.submitted
        do throws(RerunRefusal) {
            if run.isGenuine(run.story.submitted.number) { try RerunRefusal.check(recorded.submission.input, given) }
            let rerun = try RerunRefusal.told { () throws(Rejection) in try Rerun(run, with: given) }
            state = TaskDiff.Pair(recorded.state, rerun.state)
            duration = TaskDiff.Pair(took, rerun.now - recorded.submitted)
            compareEdges(recorded.template, given)
            compare(run, rerun, given)
        } catch {
            state = TaskDiff.Pair(recorded.state, nil)
            duration = TaskDiff.Pair(took, .zero)
            differences.append(error.message)
        }
    }

    private mutating func compare(_ run: RecordedRun, _ rerun: Rerun, _ given: Template) {
        let recorded = run.story.report
        if run.isSettled, recorded.state != rerun.state {
            differences.append("the task was \(recorded.state.name), and would be \(rerun.state.name)")
        }
        let places = given.places
        var unreached: [String] = []
        for (index, step) in recorded.steps.enumerated() {
            guard let place = places[step.name] else { continue }
            let (now, was) = (rerun.steps[place], run.story.attempts(of: index).count)
            let starts = now.starts == was ? "" : "started \(now.starts.times) instead of \(was.times)"
            let misfit = now.misfit.map { ": \($0)" } ?? ""
            let isComparable = run.isSettled || step.state.satisfiesDependents || step.state == .error
            if isComparable, now.state == .pending, step.state != .pending {
                unreached.append(step.name)
            } else if isComparable, now.state != step.state {
                differences.append(
                    "\(step.name) was \(step.state.name), and would be \(now.state.name)"
                        + (starts.isEmpty ? "" : ", \(starts)") + misfit)
            } else if !starts.isEmpty || !misfit.isEmpty {
                changes.append("\(step.name) is \(starts.isEmpty ? "as it was" : starts)\(misfit)")
            }
        }
        if !unreached.isEmpty { differences.append("never reached any more: \(unreached.listed)") }
        for (place, step) in given.steps.enumerated() {
            if let assumption = rerun.steps[place].assumption { assumptions.append("\(step.name) \(assumption)") }
        }
        for action in rerun.actionsLeftOut {
            changes.append("what an operator did then (#\(action.number)) cannot be done, or is not needed")
        }
        let times = TaskDiff.times(duration.before, duration.after)
        // Waiting for a worker is no matter of the template.
        if given != recorded.template, run.isSettled, recorded.state == rerun.state, let times {
            changes.append("it takes \(times.after) instead of \(times.before)")
        }
    }

    /// Which steps there are, and which of them waits for which.
    private mutating func compareEdges(_ recorded: Template, _ given: Template) {
        let (before, after) = (recorded.places, given.places)
        for step in given.steps where before[step.name] == nil { changes.append("\(step.name) is new") }
        for step in recorded.steps where after[step.name] == nil { changes.append("\(step.name) is gone") }
        let (waited, waits) = (Plan(recorded, digest: recorded.digest), Plan(given, digest: given.digest))
        for (old, step) in recorded.steps.enumerated() {
            guard let new = after[step.name] else { continue }
            // What one of the two waits for directly, and the other not at all.
            let lost = step.dependencies.filter { dependency in
                after[recorded.steps[dependency].name].map { !waits.isAncestor($0, of: new) } ?? false
            }
            let gained = given.steps[new].dependencies.filter { dependency in
                before[given.steps[dependency].name].map { !waited.isAncestor($0, of: old) } ?? true
            }
            if !lost.isEmpty {
                changes.append("\(step.name) waits no longer for \(lost.map { recorded.steps[$0].name }.listed)")
            }
            if !gained.isEmpty {
                changes.append("\(step.name) waits for \(gained.map { given.steps[$0].name }.listed)")
            }
            if step.handler != given.steps[new].handler {
                assumptions.append("\(step.name) has another handler now: its results are those of the old one")
            }
        }
    }
}

/// Why a recorded input cannot be submitted any more.
private struct RerunRefusal: Error {
    var message: String

    static func check(_ input: JSONText, _ template: Template) throws(RerunRefusal) {
        guard let text = template.inputSchema, let schema = try? JSONSchema(text.json) else { return }
        let violations = schema.violations(of: input.json, limit: 20)
        guard violations.isEmpty else {
            throw RerunRefusal(
                message: "the recorded input does not fit the input_schema: "
                    + violations.map(\.description).joined(separator: "; "))
        }
    }

    static func told<Value>(_ body: () throws(Rejection) -> Value) throws(RerunRefusal) -> Value {
        do { return try body() } catch { throw RerunRefusal(message: error.message) }
    }
}

extension Template {
    /// The place of each step, by its name.
    fileprivate var places: [String: StepIndex] {
        Dictionary(steps.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }
}

extension Int {
    fileprivate var times: String {
        switch self {
        case 0: "never"
        case 1: "once"
        case 2: "twice"
        default: "\(self) times"
        }
    }
}
