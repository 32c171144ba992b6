import StepwellKernel
package import StepwellLog
public import StepwellModel

/// A new task from an old one: the results of steps that do not depend on one step are taken over, that step and all behind it run.
public struct ForkPlan: Sendable {
    public let origin: TaskID
    public let template: Template
    public let input: JSONText
    /// In the template's order.
    public let results: [AdoptedResult]
    /// Where the new input differs from the old task's.
    public let inputChanges: [JSONChange]
    /// What the operator should know: adopted steps whose handler is another one in the new template, changes of the input that
    /// may not have the effect that was meant.
    public private(set) var warnings: [String]

    /// - Parameters:
    ///   - report: the old task.
    ///   - template: the new task's template; the old one's, or another with the same namespace and name.
    ///   - first: the step to run again.
    ///   - given: results to adopt instead of the recorded ones, by the step's name.
    ///   - origins: for each step of the old task the event that holds its result.
    /// - Throws: ``ForkError``.
    init(
        _ report: TaskReport, template: Template, from first: String, input: JSONText, given: [String: JSONText],
        origins: [String: SequenceNumber]
    ) throws(ForkError) {
        guard template.namespace == report.template.namespace, template.name == report.template.name else {
            throw .otherTemplate(
                "\(template.namespace).\(template.name)", "\(report.template.namespace).\(report.template.name)")
        }
        let plan = Plan(template, digest: template.digest)
        guard let start = plan.index(of: first) else { throw .unknownStep(first, template.steps.map(\.name)) }
        let behind = Self.marks([start] + template.heldUp(by: start), template)
        let isBefore = Self.marks(template.before(start), template)
        for name in given.keys.sorted() {
            guard let step = plan.index(of: name) else { throw .unknownStep(name, template.steps.map(\.name)) }
            if behind[step] { throw .wouldRun(name, first) }
        }
        let oldPlan = Plan(report.template, digest: report.submission.template)
        var results: [AdoptedResult] = []
        var warnings: [String] = []
        for (index, step) in template.steps.enumerated() where !behind[index] {
            let oldIndex = oldPlan.index(of: step.name)
            let old = oldIndex.map { report.steps[$0] }
            if let result = given[step.name] {
                results.append(AdoptedResult(step: index, result: result))
            } else if let old, old.state.satisfiesDependents {
                results.append(
                    AdoptedResult(step: index, result: old.result ?? .null, origin: origins[step.name] ?? .zero))
                if oldIndex.map({ report.template.steps[$0].handler }) != step.handler {
                    warnings.append("'\(step.name)' has another handler now; its old result is adopted all the same")
                }
            } else if isBefore[index] {
                throw .noResult(step.name, first, isNew: old == nil)
            }
        }
        for adopted in results {
            let step = template.steps[adopted.step]
            guard let text = step.resultSchema, let schema = try? JSONSchema(text.json) else { continue }
            if let violation = schema.violations(of: adopted.result.json).first {
                throw .resultDoesNotFit(step.name, "\(violation.pointer) \(violation.message)")
            }
        }
        origin = report.id
        self.template = template
        self.input = input
        self.results = results
        self.warnings = warnings
        inputChanges = JSONDiff.changes(report.submission.input.json, input.json)
        guard !inputChanges.isEmpty else { return }
        let kept = results.filter { isBefore[$0.step] && $0.origin != .zero }.map { template.steps[$0.step].name }
        if !kept.isEmpty {
            self.warnings.append(
                "results that were made with the old input are kept: \(kept.listed); '--from' such a step runs it again"
            )
        }
    }

    /// What may be wrong with members to set in the input.
    private mutating func noteInput(_ members: [JSON.Member], old: JSON) {
        guard !members.isEmpty else { return }
        if inputChanges.isEmpty { warnings.append("the input is as it was") }
        let known = (old.members ?? []).map(\.name)
        let declared = (template.inputSchema?.json["properties"]?.members ?? []).map(\.name)
        for member in members where !known.contains(member.name) && !declared.contains(member.name) {
            warnings.append(
                "the input had no member '\(member.name)'"
                    + (known.isEmpty ? "; it had none" : "; it had \(known.prefix(20).joined(separator: ", "))"))
        }
    }

    private static func marks(_ chosen: [StepIndex], _ template: Template) -> [Bool] {
        chosen.reduce(into: [Bool](repeating: false, count: template.steps.count)) { $0[$1] = true }
    }
}

extension ForkPlan {
    /// Plans the fork of a task of the log.
    ///
    /// - Parameters:
    ///   - template: nil: the one that the task has.
    ///   - inputChanges: members to set in the input, or to add.
    /// - Throws: ``ForkError``, ``LogError``.
    package static func make(
        of task: TaskID, in log: any EventReader, from first: String, template: Template? = nil,
        inputChanges: [JSON.Member] = [], given: [String: JSONText] = [:]
    ) throws -> ForkPlan {
        guard let report = try TaskReport.read(task, from: log) else { throw Rejection.unknownTask(task) }
        var origins: [String: SequenceNumber] = [:]
        try log.events(of: task, after: .zero, payloads: .skipped) { record in
            switch record.event {
            case .attemptSucceeded(let attempt, _, _):
                origins[report.template.steps[attempt.step].name] = record.number
            case .operatorResolved(let step, _, _): origins[report.template.steps[step].name] = record.number
            case .resultAdopted(let adopted): origins[report.template.steps[adopted.step].name] = record.number
            default: break
            }
        }
        var input = report.submission.input
        if !inputChanges.isEmpty {
            var members = input.json.members ?? []
            for change in inputChanges {
                members.removeAll { $0.name == change.name }
                members.append(change)
            }
            input = JSONText(.object(members))
        }
        var plan = try ForkPlan(
            report, template: template ?? report.template, from: first, input: input, given: given, origins: origins)
        plan.noteInput(inputChanges, old: report.submission.input.json)
        return plan
    }
}

/// Why a task cannot be forked like that.
public enum ForkError: StepwellError, Hashable {
    case unknownStep(String, [String])
    case otherTemplate(String, String)
    /// A step before the first one has no result.
    case noResult(String, String, isNew: Bool)
    /// A result was given for a step that runs.
    case wouldRun(String, String)
    case resultDoesNotFit(String, String)

    public var code: String {
        switch self {
        case .unknownStep: "unknown_step"
        default: "fork_does_not_fit"
        }
    }

    public var message: String {
        switch self {
        case .unknownStep(let step, let known):
            "the template has no step '\(step)'; it has " + known.prefix(20).joined(separator: ", ")
        case .otherTemplate(let new, let old): "the template is \(new), but the task is one of \(old)"
        case .noResult(let step, let first, let isNew):
            "'\(first)' comes after '\(step)', which "
                + (isNew ? "the task that is forked does not have" : "has no result in the task that is forked")
        case .wouldRun(let step, let first):
            "'\(step)' runs again, as it is '\(first)' or comes after it; it can be given no result"
        case .resultDoesNotFit(let step, let fault): "the result of '\(step)' does not fit its result_schema: \(fault)"
        }
    }

    public var cure: String? {
        switch self {
        case .noResult(let step, _, _): "give it one with --set-result \(step)=@FILE, or fork from '\(step)'"
        case .resultDoesNotFit(let step, _): "give it another with --set-result \(step)=@FILE, or fork from '\(step)'"
        default: nil
        }
    }
}
