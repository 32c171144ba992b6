package import StepwellLog
package import StepwellModel

/// A run of the past, to be gone through again.
package struct RecordedRun: Sendable {
    package let story: TaskStory
    /// Events in which values were taken out; what stands there instead fits no schema.
    let redacted: Set<SequenceNumber>

    /// A run of a store.
    /// - Throws: ``LogError``, or ``FoldError`` when the events cannot follow each other; nil when there is no such task.
    package init?(_ task: TaskID, from log: any EventReader) throws {
        guard let story = try TaskStory.read(task, from: log) else { return nil }
        (self.story, redacted) = (story, [])
    }

    /// A run that was exported.
    /// - Throws: ``BundleError`` when it is not what was exported.
    package init(_ bundle: RunBundle) throws {
        _ = try bundle.check()
        guard let story = try TaskStory.read(bundle) else { throw BundleError.truncated }
        self.story = story
        redacted = Set(bundle.events.lazy.filter(\.isRedacted).map(\.record.number))
    }

    /// Whether nothing was left to do but for an operator: then a run of today can be held against its end.
    var isSettled: Bool { state.isClosed || state == .blockedByFailures }

    /// Whether it ended by itself. What never ran in another run would have run later.
    var isWhole: Bool { isSettled && state != .cancelled }

    var state: TaskState { story.report.state }

    /// Whether the value that the event holds is the one that was there.
    func isGenuine(_ number: SequenceNumber?) -> Bool { number.map { !redacted.contains($0) } ?? true }
}
