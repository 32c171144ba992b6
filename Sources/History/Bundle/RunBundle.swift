package import StepwellLog
package import StepwellModel

/// One task with the hashes that tie it to its log: what `docs/bundle-format.md` describes.
package struct RunBundle: Hashable, Sendable {
    package var writtenBy: String
    /// Of the store that the task is from, in hexadecimal digits.
    package var storeID: String
    package var task: TaskID
    package var state: TaskState
    /// Where that store's log ended.
    package var head: SequenceNumber
    package var headHash: [UInt8]
    package var stateHash: [UInt8]
    /// JSON pointers whose values were taken out.
    package var redacted: [String]
    package var templateDigest: TemplateDigest
    package var templateBytes: [UInt8]
    /// All of the task, in order.
    package var events: [BundledEvent]
    /// Those that have events of the task, in order.
    package var commits: [Commit]
    package var logLines: [LogLine]
}

/// An event as the log keeps it.
package struct BundledEvent: Hashable, Sendable {
    package var record: EventRecord
    package var bytes: [UInt8]
    /// Whether values were taken out of it, or of another event of its run.
    package var isRedacted = false
}
