package import StepwellKernel
package import StepwellLog
public import StepwellModel

/// The whole log, folded from its first event: what an auditor does, and what recovery must agree with.
public enum Replay {
    /// What folding a log has come to.
    public struct Report: Hashable, Sendable {
        public var eventsFolded: Int
        public var tasksOpen: Int
        /// The number and time of the last event.
        public var last: SequenceNumber
        public var time: Timestamp
    }

    /// Folds the log of the store in that directory, also while an engine writes it.
    /// - Throws: ``LogError``, or ``FoldError`` when an event cannot follow those before it.
    public static func fold(store path: String) throws -> Report {
        try fold(LMDBReader(path: path)).report
    }

    package static func fold(
        _ log: any EventReader, to moment: Moment = .end
    ) throws -> (state: State, report: Report) {
        var state = State()
        var eventsFolded = 0
        try log.events(after: .zero, payloads: .skipped) { record in
            guard moment.includes(record) else { return false }
            if case .taskSubmitted(let submission) = record.event, state.plan(submission.template) == nil {
                guard let template = try log.template(submission.template) else {
                    throw LogError.corrupt("the template \(submission.template) is missing", at: record.number)
                }
                state.adopt(Plan(template, digest: submission.template))
            }
            try state.apply(record)
            eventsFolded += 1
            return true
        }
        return (
            state,
            Report(eventsFolded: eventsFolded, tasksOpen: state.openTaskCount, last: state.last, time: state.time)
        )
    }
}
