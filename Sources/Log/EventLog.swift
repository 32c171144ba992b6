package import StepwellModel

/// Where an event is found by its number.
package protocol EventSource: Sendable {
    func event(_ number: SequenceNumber) throws(LogError) -> EventRecord?
}

/// Questions to a log. Any number of readers may ask while one writer appends; each answer is that of one commit or later.
///
/// The callbacks run outside of any lock or transaction of the log: they may be slow, and may ask or append themselves.
package protocol EventReader: AnyObject, EventSource {
    /// The end of the log as last committed.
    func currentHead() throws(LogError) -> LogHead

    /// The tasks that were not closed at the head, in the order of their ids.
    func openTasks() throws(LogError) -> [TaskSummary]

    /// A task's newest snapshot, if it has one.
    func snapshot(of task: TaskID) throws(LogError) -> TaskSnapshotBytes?

    /// A task's events after `number`, oldest first. Follows the events' own links, so that it costs what it returns.
    func events(
        of task: TaskID, after number: SequenceNumber, payloads: Payloads, _ body: (EventRecord) throws -> Void
    ) throws

    /// All events after `number`, oldest first, until `body` returns false.
    func events(after number: SequenceNumber, payloads: Payloads, _ body: (EventRecord) throws -> Bool) throws

    func task(_ id: TaskID) throws(LogError) -> TaskSummary?
    /// The newest task with that key.
    func task(namespace: String, name: String, key: String) throws(LogError) -> TaskID?
    /// Newest first, by the time of submission.
    func tasks(matching filter: TaskFilter, limit: Int) throws(LogError) -> [TaskSummary]
    /// Tasks whose id begins with these characters (hexadecimal digits and dashes), at most `limit`, in the order of their ids.
    func tasks(idPrefix: String, limit: Int) throws(LogError) -> [TaskSummary]

    func template(_ digest: TemplateDigest) throws(LogError) -> Template?
    /// The last event by which a template was registered; each names the one before. Zero without any.
    func lastRegistration() throws(LogError) -> SequenceNumber
    /// The limits that are in force, in the order in which they were set.
    func limits() throws(LogError) -> [LimitRow]

    /// Log lines of a task after the given position, in the order of lease and line.
    func logLines(
        of task: TaskID, after: LogLinePosition?, _ body: (LogLine) throws -> Bool
    ) throws
}

/// The durable order of events: what the engine needs to write, and to come back after a crash. One writer, at any time.
///
/// ``LMDBLog`` keeps it in a directory, ``MemoryLog`` in memory for tests and simulation.
package protocol EventLog: EventReader {
    /// The end of the log: what the next batch must follow.
    var head: LogHead { get }

    /// Writes a batch as one transaction. When it returns, everything in the batch is on disk.
    ///
    /// - Throws: ``LogError/diskFull`` when there is no space: nothing was written, and the same batch may be appended again
    ///   later. After any other error the log's end is unknown; the process must stop.
    func append(_ batch: LogBatch) throws(LogError)
}

extension EventLog {
    package func currentHead() throws(LogError) -> LogHead { head }
}

extension EventReader {
    /// All registrations of templates, newest first.
    package func registrations() throws -> [TemplateRegistration] {
        var found: [TemplateRegistration] = []
        var next = try lastRegistration()
        while next > .zero {
            guard case .templateRegistered(let registration) = try event(next)?.event, registration.previous < next
            else { throw LogError.corrupt("a registration of a template should be here", at: next) }
            found.append(registration)
            next = registration.previous
        }
        return found
    }
}

/// The end of a log.
package struct LogHead: Hashable, Sendable {
    package var number: SequenceNumber
    package var time: Timestamp
    /// The hash of the last commit; 32 zero bytes before the first.
    package var hash: [UInt8]

    package init(number: SequenceNumber, time: Timestamp, hash: [UInt8]) {
        self.number = number
        self.time = time
        self.hash = hash
    }

    package static let empty = LogHead(number: .zero, time: .zero, hash: [UInt8](repeating: 0, count: 32))
}

/// What one commit holds.
package struct LogBatch: Sendable {
    /// In order, and the first follows the log's head.
    package var events: [EventRecord] = []
    /// Every task that an event of this batch concerns, as it is after the batch. The log derives its indexes from them.
    package var tasks: [TaskSummary] = []
    /// Templates that a submission of this batch names for the first time. Known ones are ignored.
    package var templates: [(digest: TemplateDigest, bytes: [UInt8])] = []
    package var snapshots: [TaskSnapshotBytes] = []
    package var logLines: [LogLine] = []
    /// The last event of this batch that registers a template, if there is one.
    package var registered: SequenceNumber?
    /// Limits that this batch sets, or whose buckets it changes, as they are after it.
    package var limits: [LimitRow] = []
    /// Limits that are no more, by the events that had set them.
    package var limitsGone: [SequenceNumber] = []
    /// Closed tasks that leave with this batch, with all that is theirs.
    package var pruned: [TaskID] = []

    package init() {}

    package var isEmpty: Bool { events.isEmpty && logLines.isEmpty && snapshots.isEmpty }
}

/// A task folded up to its event `number`: a cache that saves folding the events before it. The bytes are the engine's.
package struct TaskSnapshotBytes: Hashable, Sendable {
    package var task: TaskID
    package var number: SequenceNumber
    package var bytes: [UInt8]

    package init(task: TaskID, number: SequenceNumber, bytes: [UInt8]) {
        self.task = task
        self.number = number
        self.bytes = bytes
    }
}

/// Whether decoding brings JSON payloads (inputs, results, checkpoints, metadata). A fold needs none of them.
package enum Payloads: Sendable {
    case included
    /// Payloads come as `null`, without a copy.
    case skipped
}

package struct TaskFilter: Hashable, Sendable {
    package var namespace: String?
    package var name: String?
    package var state: TaskState?
    /// Only tasks that stand behind this place, newest first: to go on with a list.
    package var before: TaskPlace?

    package init(
        namespace: String? = nil, name: String? = nil, state: TaskState? = nil, before: TaskPlace? = nil
    ) {
        self.namespace = namespace
        self.name = name
        self.state = state
        self.before = before
    }
}

/// Where a task stands among all, by the time of its submission.
package struct TaskPlace: Hashable, Sendable {
    package var submitted: Timestamp
    package var id: TaskID

    package init(submitted: Timestamp, id: TaskID) {
        self.submitted = submitted
        self.id = id
    }
}

package struct LogLinePosition: Hashable, Comparable, Sendable {
    package var lease: Lease
    package var number: UInt32

    package init(lease: Lease, number: UInt32) {
        self.lease = lease
        self.number = number
    }

    package static func < (left: LogLinePosition, right: LogLinePosition) -> Bool {
        (left.lease, left.number) < (right.lease, right.number)
    }
}
