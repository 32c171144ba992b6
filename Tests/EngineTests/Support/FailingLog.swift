import StepwellLog
import StepwellModel
import Synchronization

/// A log in memory that counts its appends, and fails when it is told to.
final class FailingLog: EventLog {
    private let log = MemoryLog()
    private let error = Mutex<LogError?>(nil)
    private let keyError = Mutex<LogError?>(nil)
    private let tries = Atomic(0)
    private let appends = Atomic(0)

    func fail(with error: LogError?) { self.error.withLock { $0 = error } }

    /// Who has a key cannot be told.
    func failKeys(with error: LogError?) { keyError.withLock { $0 = error } }

    /// How often somebody has tried to append, and how often that went well.
    var tryCount: Int { tries.load(ordering: .relaxed) }
    var appendCount: Int { appends.load(ordering: .relaxed) }

    var head: LogHead { log.head }

    func append(_ batch: LogBatch) throws(LogError) {
        tries.add(1, ordering: .relaxed)
        if let error = error.withLock({ $0 }) { throw error }
        try log.append(batch)
        appends.add(1, ordering: .relaxed)
    }

    func openTasks() throws(LogError) -> [TaskSummary] { try log.openTasks() }
    func snapshot(of task: TaskID) throws(LogError) -> TaskSnapshotBytes? { try log.snapshot(of: task) }
    func event(_ number: SequenceNumber) throws(LogError) -> EventRecord? { try log.event(number) }
    func task(_ id: TaskID) throws(LogError) -> TaskSummary? { try log.task(id) }
    func lastRegistration() throws(LogError) -> SequenceNumber { try log.lastRegistration() }
    func limits() throws(LogError) -> [LimitRow] { try log.limits() }
    func template(_ digest: TemplateDigest) throws(LogError) -> Template? { try log.template(digest) }
    func task(namespace: String, name: String, key: String) throws(LogError) -> TaskID? {
        if let error = keyError.withLock({ $0 }) { throw error }
        return try log.task(namespace: namespace, name: name, key: key)
    }
    func tasks(matching filter: TaskFilter, limit: Int) throws(LogError) -> [TaskSummary] {
        try log.tasks(matching: filter, limit: limit)
    }
    func tasks(idPrefix: String, limit: Int) throws(LogError) -> [TaskSummary] {
        try log.tasks(idPrefix: idPrefix, limit: limit)
    }
    func events(
        of task: TaskID, after number: SequenceNumber, payloads: Payloads, _ body: (EventRecord) throws -> Void
    ) throws { try log.events(of: task, after: number, payloads: payloads, body) }
    func events(after number: SequenceNumber, payloads: Payloads, _ body: (EventRecord) throws -> Bool) throws {
        try log.events(after: number, payloads: payloads, body)
    }
    func logLines(of task: TaskID, after: LogLinePosition?, _ body: (LogLine) throws -> Bool) throws {
        try log.logLines(of: task, after: after, body)
    }
}
