import StepwellKernel
package import StepwellLog
package import StepwellModel

/// A task event by event: what happened, and which steps it moved.
package struct TaskWalk: Sendable {
    /// A step that an event has moved.
    package struct Change: Hashable, Sendable {
        package var step: StepIndex
        package var before: StepState
        package var after: StepState
    }

    package struct Frame: Sendable {
        package var record: EventRecord
        package var changes: [Change]
        /// What became of the whole task, if that changed.
        package var state: TaskState?
    }

    package let id: TaskID
    package let template: Template
    package let frames: [Frame]

    /// Reads a task's events up to a moment.
    /// - Throws: ``LogError``, or ``FoldError`` when the events cannot follow each other; nil when there is no such task, or
    ///   was none at that moment.
    package static func read(_ id: TaskID, from log: any EventReader, at moment: Moment = .end) throws -> TaskWalk? {
        var frames: [Frame] = []
        var states: [StepState] = []
        var state = TaskState.pending
        let report = try TaskReport.read(id, from: log, at: moment) { record, task in
            var frame = Frame(record: record, changes: [], state: nil)
            // A task that has closed is not there any more: what its end does to the steps, their machine says.
            let steps = task?.steps.map(\.state) ?? states.map { record.event.closing($0) }
            if states.isEmpty { states = steps }
            for step in record.event.touched(steps.count) where states[step] != steps[step] {
                frame.changes.append(Change(step: step, before: states[step], after: steps[step]))
                states[step] = steps[step]
            }
            let next = task?.state ?? record.event.closedState ?? state
            if frames.isEmpty || next != state { frame.state = next }
            state = next
            frames.append(frame)
        }
        return report.map { TaskWalk(id: id, template: $0.template, frames: frames) }
    }

    /// The next frame after that place, or the last before it, that tells of a failure; nil when there is none.
    package func failure(from place: Int, forward: Bool) -> Int? {
        forward
            ? frames.indices.first { $0 > place && frames[$0].record.event.isTrouble }
            : frames.indices.last { $0 < place && frames[$0].record.event.isTrouble }
    }
}

extension Event {
    fileprivate func touched(_ count: Int) -> Range<Int> {
        if case .taskCancelled = self { return 0..<count }
        return movedStep.map { $0..<($0 + 1) } ?? 0..<0
    }

    fileprivate func closing(_ state: StepState) -> StepState {
        guard case .taskCancelled = self, case .moves(let next) = StepMachine.table[state, .taskCancelled] else {
            return state
        }
        return next
    }

    fileprivate var closedState: TaskState? {
        switch self {
        case .taskCompleted: .complete
        case .taskCancelled: .cancelled
        default: nil
        }
    }

    fileprivate var isTrouble: Bool {
        switch self {
        case .attemptFailed, .attemptTimedOut, .attemptLost, .stepFailed, .resultRejected, .taskBlocked, .taskCancelled:
            true
        default: false
        }
    }
}

extension EventRecord {
    /// The event as `stepwell events -o json` shows it.
    package func json(_ steps: [String]) -> JSON {
        JSONText(trusted: EventJSON.line(self) { steps[$0] }).json
    }
}
