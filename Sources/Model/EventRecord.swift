/// An event as the log keeps it: what happened, and its envelope.
public struct EventRecord: Hashable, Sendable {
    public var number: SequenceNumber
    /// Nil for events of the engine itself.
    public var task: TaskID?
    /// The event's number within its task, from 1; 0 without a task.
    public var taskNumber: UInt32
    /// The task's event before this one; zero for its first and without a task.
    public var previous: SequenceNumber
    /// Never earlier than that of the event before.
    public var time: Timestamp
    public var actor: Actor
    /// The fact that this decision follows from; zero for a fact.
    public var cause: SequenceNumber
    public var event: Event

    public init(
        number: SequenceNumber, task: TaskID?, taskNumber: UInt32, previous: SequenceNumber, time: Timestamp,
        actor: Actor, cause: SequenceNumber, event: Event
    ) {
        self.number = number
        self.task = task
        self.taskNumber = taskNumber
        self.previous = previous
        self.time = time
        self.actor = actor
        self.cause = cause
        self.event = event
    }

    /// A decision follows from a fact; a fact follows from nothing in the log.
    public var isDecision: Bool { cause != .zero }
}
