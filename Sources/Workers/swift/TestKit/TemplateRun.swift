public import StepwellHistory
public import StepwellModel

/// What came of a template that ``rehearse(_:handlers:input:results:)`` has run.
public struct TemplateRun: Sendable {
    /// What an engine would report of the task.
    public let report: TaskReport
    /// How long it would have taken if no handler took any time: the waits between attempts.
    public let waited: Duration
    /// What the handlers logged, in order.
    public let log: [LoggedLine]
    /// The progress that steps told with their heartbeats, in order.
    public let progress: [(step: String, progress: JSON)]

    /// `complete`, or `blockedByFailures`.
    public var state: TaskState { report.state }

    /// A step: its state, its attempts, its failure.
    public subscript(step: String) -> StepReport? { report[step] }

    /// The result of a step.
    /// - Throws: ``RehearsalError`` with the step's failure, or of what stands before it, when it has none.
    public func result(_ step: String) throws(RehearsalError) -> JSON {
        guard let found = report[step] else { throw .unknownStep(step, known: report.steps.map(\.name)) }
        guard found.state == .complete else {
            let failed = report.steps.filter { $0.state == .error }
                .map { "\($0.name) failed: \($0.failure?.message ?? "")" }
            throw .noResult(step, state: found.state, failures: failed)
        }
        return found.result?.json ?? .null
    }

    /// The result of a step as a value.
    /// - Throws: ``RehearsalError`` when it has none, `DecodingError` when it has another shape.
    public func result<Value: Decodable>(_ step: String, as type: Value.Type) throws -> Value {
        try JSONText(try result(step)).decoded(as: type)
    }
}

/// Why a template cannot be rehearsed, or has no result to show.
public enum RehearsalError: StepwellError, Hashable {
    /// A step without a handler, and without a result that stands for it.
    case noHandler(step: String, handler: String?, offered: [String])
    /// A result is given, or asked for, for what is no step.
    case unknownStep(String, known: [String])
    case noResult(String, state: StepState, failures: [String])

    public var code: String {
        switch self {
        case .noHandler: "rehearsal_handler"
        case .unknownStep: "rehearsal_step"
        case .noResult: "rehearsal_result"
        }
    }

    public var message: String {
        switch self {
        case .noHandler(let step, let handler?, _): "the step '\(step)' needs the handler '\(handler)'"
        case .noHandler(let step, nil, _): "the step '\(step)' is a command, which a rehearsal does not run"
        case .unknownStep(let step, _): "there is no step '\(step)'"
        case .noResult(let step, let state, let failures):
            "the step '\(step)' is \(state.name)" + (failures.isEmpty ? "" : ": " + failures.joined(separator: "; "))
        }
    }

    public var cure: String? {
        switch self {
        case .noHandler(_, .some, let offered):
            "offered are: \(offered.sorted().joined(separator: ", ")); or give its result in `results`"
        case .noHandler(_, nil, _): "give its result in `results`"
        case .unknownStep(_, let known): "there are: \(known.joined(separator: ", "))"
        case .noResult: nil
        }
    }
}
