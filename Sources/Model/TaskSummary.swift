/// What the log's index knows of a task: enough to list it, to find its events and its template.
public struct TaskSummary: Hashable, Sendable {
    public var id: TaskID
    public var namespace: String
    public var name: String
    public var version: String
    public var template: TemplateDigest
    public var key: String?
    public var priority: Int
    public var state: TaskState
    public var submitted: Timestamp
    /// The time of the task's last event.
    public var changed: Timestamp
    /// The task's first and last event. Between them each event names the one before.
    public var first: SequenceNumber
    public var last: SequenceNumber
    /// How many events the task has.
    public var eventCount: UInt32
    public var stepCount: Int
    /// Steps that are complete or resolved by hand.
    public var stepsDone: Int
    /// Steps that have failed for good.
    public var stepsFailed: Int
    /// The task that this one was forked from.
    public var forkedFrom: TaskID?

    public init(
        id: TaskID, namespace: String, name: String, version: String, template: TemplateDigest, key: String?,
        priority: Int, state: TaskState, submitted: Timestamp, changed: Timestamp, first: SequenceNumber,
        last: SequenceNumber, eventCount: UInt32, stepCount: Int, stepsDone: Int, stepsFailed: Int,
        forkedFrom: TaskID? = nil
    ) {
        self.id = id
        self.namespace = namespace
        self.name = name
        self.version = version
        self.template = template
        self.key = key
        self.priority = priority
        self.state = state
        self.submitted = submitted
        self.changed = changed
        self.first = first
        self.last = last
        self.eventCount = eventCount
        self.stepCount = stepCount
        self.stepsDone = stepsDone
        self.stepsFailed = stepsFailed
        self.forkedFrom = forkedFrom
    }
}
