import Foundation
import StepwellModel

@testable import StepwellLog

/// A directory that is gone when the value is.
final class TemporaryDirectory: Sendable {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "stepwell-log-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var store: String { path + "/store" }
    var data: String { store + "/data.mdb" }
}

/// Builds batches whose events follow each other and whose summaries agree with them, as the engine would.
struct Story {
    private(set) var batch = LogBatch()
    private(set) var events: [EventRecord] = []
    private(set) var tasks: [TaskID: TaskSummary] = [:]
    private var number: SequenceNumber
    private var time: Timestamp
    private var changed: Set<TaskID> = []

    init(after head: LogHead = .empty, time: Timestamp = Timestamp(milliseconds: 1_700_000_000_000)) {
        number = head.number
        self.time = max(head.time, time)
    }

    /// Goes on where the story before it ended, in another batch.
    mutating func take() -> LogBatch {
        batch.tasks = changed.sorted().compactMap { tasks[$0] }
        changed = []
        defer { batch = LogBatch() }
        return batch
    }

    mutating func advance(_ milliseconds: Int64) { time = time.advanced(by: Milliseconds(milliseconds)) }

    @discardableResult
    mutating func add(_ event: Event, task: TaskID? = nil, actor: Actor = .scheduler, cause: SequenceNumber = .zero)
        -> SequenceNumber
    {
        number = number.next
        var record = EventRecord(
            number: number, task: task, taskNumber: 0, previous: .zero, time: time, actor: actor, cause: cause,
            event: event)
        if let task {
            var summary = tasks[task] ?? unnamed(task)
            record.taskNumber = summary.eventCount + 1
            record.previous = summary.last
            if summary.first == .zero { summary.first = number }
            summary.last = number
            summary.changed = time
            summary.eventCount += 1
            tasks[task] = summary
            changed.insert(task)
        }
        events.append(record)
        batch.events.append(record)
        return number
    }

    mutating func submit(
        _ id: TaskID, namespace: String = "default", name: String = "work", key: String? = nil,
        state: TaskState = .pending
    ) {
        let template = TemplateDigest(SHA256.hash([1]))
        var summary = unnamed(id)
        summary.namespace = namespace
        summary.name = name
        summary.key = key
        summary.state = state
        summary.template = template
        tasks[id] = summary
        add(
            .taskSubmitted(
                Submission(
                    template: template, namespace: namespace, name: name, version: "1.0.0", key: key,
                    correlationID: id.description)),
            task: id, actor: Actor(.client, id: "me"))
    }

    mutating func set(_ id: TaskID, _ state: TaskState) {
        tasks[id]?.state = state
        changed.insert(id)
    }

    mutating func fork(_ id: TaskID, of origin: TaskID?) {
        tasks[id]?.forkedFrom = origin
        changed.insert(id)
    }

    mutating func snapshot(_ id: TaskID, _ bytes: [UInt8]) {
        batch.snapshots.append(TaskSnapshotBytes(task: id, number: number, bytes: bytes))
    }

    mutating func log(_ id: TaskID, lease: UInt64, _ number: UInt32, _ text: String) {
        batch.logLines.append(
            LogLine(
                task: id, step: 0, attempt: 1, lease: Lease(lease), number: number, time: time, level: .info, text: text
            ))
    }

    mutating func add(_ template: Template) -> TemplateDigest {
        let encoded = template.encoded()
        batch.templates.append((encoded.digest, encoded.bytes))
        return encoded.digest
    }

    private func unnamed(_ id: TaskID) -> TaskSummary {
        TaskSummary(
            id: id, namespace: "default", name: "work", version: "1.0.0", template: TemplateDigest(SHA256.hash([1])),
            key: nil, priority: 0, state: .pending, submitted: time, changed: time, first: .zero, last: .zero,
            eventCount: 0, stepCount: 3, stepsDone: 0, stepsFailed: 0)
    }
}

extension TaskID {
    /// An id that is easy to tell from others.
    static func numbered(_ number: UInt64, at milliseconds: Int64 = 1_700_000_000_000) -> TaskID {
        TaskID(time: Timestamp(milliseconds: milliseconds), random: (number, number))
    }
}

extension EventReader {
    func allEvents(after number: SequenceNumber = .zero) throws -> [EventRecord] {
        var found: [EventRecord] = []
        try events(after: number, payloads: .included) { record in
            found.append(record)
            return true
        }
        return found
    }

    func allEvents(of task: TaskID, after number: SequenceNumber = .zero) throws -> [EventRecord] {
        var found: [EventRecord] = []
        try events(of: task, after: number, payloads: .included) { found.append($0) }
        return found
    }

    func allLines(of task: TaskID, after position: LogLinePosition? = nil) throws -> [String] {
        var found: [String] = []
        try logLines(of: task, after: position) { line in
            found.append(line.text)
            return true
        }
        return found
    }
}
