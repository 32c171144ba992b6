package import StepwellModel
import Synchronization

/// The log in memory: for tests, simulation, and runs that need not survive. It behaves as ``LMDBLog`` does and keeps the same
/// bytes, so that what passes through the one passes through the other.
package final class MemoryLog: EventLog {
    private let state = Mutex(State())

    package init() {}

    package var head: LogHead { state.withLock { $0.head } }

    package func append(_ batch: LogBatch) throws(LogError) {
        precondition(batch.pruned.isEmpty, "a log in memory keeps everything")
        try state.withLock { state throws(LogError) in try state.append(batch) }
    }

    // MARK: Events

    package func event(_ number: SequenceNumber) throws(LogError) -> EventRecord? {
        try state.withLock { state throws(LogError) in
            guard let bytes = state.bytes(number) else { return nil }
            return try decode(bytes, number: number, payloads: .included)
        }
    }

    package func events(
        after number: SequenceNumber, payloads: Payloads, _ body: (EventRecord) throws -> Bool
    ) throws {
        var next = number.next
        // Each event is taken alone: the callback may append.
        while let bytes = state.withLock({ $0.bytes(next) }) {
            guard try body(decode(bytes, number: next, payloads: payloads)) else { return }
            next = next.next
        }
    }

    package func events(
        of task: TaskID, after number: SequenceNumber, payloads: Payloads, _ body: (EventRecord) throws -> Void
    ) throws {
        let numbers = try state.withLock { state throws(LogError) in try state.numbers(of: task, after: number) }
        for number in numbers.reversed() {
            guard let bytes = state.withLock({ $0.bytes(number) }) else { return }
            try body(decode(bytes, number: number, payloads: payloads))
        }
    }

    private func decode(
        _ bytes: [UInt8], number: SequenceNumber, payloads: Payloads
    ) throws(LogError) -> EventRecord {
        try bytes.withRawBytes { bytes throws(LogError) in
            try EventCodec.decode(bytes, number: number, payloads: payloads)
        }
    }

    // MARK: Tasks

    package func openTasks() throws(LogError) -> [TaskSummary] {
        state.withLock { $0.tasks.values.filter { !$0.state.isClosed } }.sorted { $0.id < $1.id }
    }

    package func task(_ id: TaskID) throws(LogError) -> TaskSummary? {
        state.withLock { $0.tasks[id] }
    }

    package func task(namespace: String, name: String, key: String) throws(LogError) -> TaskID? {
        state.withLock { $0.keys[RowKey.identity(namespace: namespace, name: name, key: key)] }
    }

    package func tasks(matching filter: TaskFilter, limit: Int) throws(LogError) -> [TaskSummary] {
        let found = state.withLock { state in
            state.tasks.values.filter { task in
                (filter.state ?? task.state) == task.state
                    && (filter.namespace ?? task.namespace) == task.namespace
                    && (filter.name ?? task.name) == task.name
            }
        }
        return Array(found.sorted { ($0.submitted, $0.id) > ($1.submitted, $1.id) }.prefix(max(0, limit)))
    }

    package func tasks(idPrefix: String, limit: Int) throws(LogError) -> [TaskSummary] {
        guard let prefix = TaskIDPrefix(idPrefix) else { return [] }
        let found = state.withLock { $0.tasks.values.filter { prefix.first <= $0.id && $0.id <= prefix.last } }
        return Array(found.sorted { $0.id < $1.id }.prefix(max(0, limit)))
    }

    // MARK: Beside the events

    package func snapshot(of task: TaskID) throws(LogError) -> TaskSnapshotBytes? {
        state.withLock { $0.snapshots[task] }
    }

    package func template(_ digest: TemplateDigest) throws(LogError) -> Template? {
        guard let bytes = state.withLock({ $0.templates[digest] }) else { return nil }
        return try bytes.withRawBytes { bytes throws(LogError) in try TemplateCodec.decode(bytes, digest: digest) }
    }

    package func limits() throws(LogError) -> [LimitRow] {
        state.withLock { $0.limits.values.sorted { $0.number < $1.number } }
    }

    package func lastRegistration() throws(LogError) -> SequenceNumber { state.withLock { $0.registered } }

    package func logLines(
        of task: TaskID, after position: LogLinePosition?, _ body: (LogLine) throws -> Bool
    ) throws {
        let lines = state.withLock { $0.logLines[task] ?? [:] }
        for (place, line) in lines.sorted(by: { $0.key < $1.key }) {
            if let position, !(position < place) { continue }
            guard try body(line) else { return }
        }
    }
}

private struct State: ~Copyable {
    private(set) var head = LogHead.empty
    private(set) var tasks: [TaskID: TaskSummary] = [:]
    private(set) var keys: [[UInt8]: TaskID] = [:]
    private(set) var templates: [TemplateDigest: [UInt8]] = [:]
    private(set) var snapshots: [TaskID: TaskSnapshotBytes] = [:]
    private(set) var logLines: [TaskID: [LogLinePosition: LogLine]] = [:]
    private(set) var registered = SequenceNumber.zero
    private(set) var limits: [SequenceNumber: LimitRow] = [:]
    private var events: [[UInt8]] = []
    private var batch = EncodedBatch()

    mutating func append(_ batch: LogBatch) throws(LogError) {
        head = try self.batch.encode(batch.events, after: head)
        if !batch.events.isEmpty { self.batch.forEach { events.append(Array($0)) } }
        for template in batch.templates where templates[template.digest] == nil {
            templates[template.digest] = template.bytes
        }
        if let number = batch.registered { registered = number }
        for number in batch.limitsGone { limits[number] = nil }
        for row in batch.limits { limits[row.number] = row }
        for snapshot in batch.snapshots { snapshots[snapshot.task] = snapshot }
        for task in batch.tasks {
            if tasks.updateValue(task, forKey: task.id) == nil, let key = task.key {
                keys[RowKey.identity(namespace: task.namespace, name: task.name, key: key)] = task.id
            }
            if task.state.isClosed { snapshots[task.id] = nil }
        }
        for line in batch.logLines {
            let position = LogLinePosition(lease: line.lease, number: line.number)
            logLines[line.task, default: [:]][position] = line
        }
    }

    func bytes(_ number: SequenceNumber) -> [UInt8]? {
        guard number != .zero, number.rawValue <= UInt64(events.count) else { return nil }
        return events[Int(number.rawValue) - 1]
    }

    /// Newest first.
    func numbers(of task: TaskID, after number: SequenceNumber) throws(LogError) -> [SequenceNumber] {
        var numbers: [SequenceNumber] = []
        var next = tasks[task]?.last ?? .zero
        while next > number {
            guard let bytes = bytes(next) else {
                throw .corrupt("the event is missing, though others name it", at: next)
            }
            numbers.append(next)
            let previous = try bytes.withRawBytes { bytes throws(LogError) in
                try EventCodec.previous(bytes, number: next)
            }
            guard previous < next else { throw .corrupt("its task's event before it is later", at: next) }
            next = previous
        }
        return numbers
    }
}
