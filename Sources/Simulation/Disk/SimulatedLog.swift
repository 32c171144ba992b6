import StepwellLog
import StepwellModel

/// The log on a simulated disk, in the manner of LMDB: what a commit writes never lies over what is in use, is synced, and only
/// then one of two head pages names it, and is synced.
///
/// Opening reads everything back from the disk's bytes and checks it. A ``MemoryLog`` is the table of contents, filled with what
/// was decoded.
final class SimulatedLog: EventLog, @unchecked Sendable {  // The simulation has one thread.
    private let disk: SimulatedDisk
    private let contents = MemoryLog()
    private var page: HeadPage
    private var encoded = EncodedBatch()
    /// The head after each commit, the oldest first.
    private(set) var commits: [LogHead] = []
    /// Closed tasks have their events in no index of open ones; these are all that there ever were.
    private(set) var tasks: [TaskID] = []
    private var known: Set<TaskID> = []

    var head: LogHead { page.head }

    /// Reads what the disk holds.
    /// - Throws: ``LogError/corrupt`` when the bytes cannot be what was written.
    init(_ disk: SimulatedDisk) throws(LogError) {
        self.disk = disk
        page = HeadPage.newest(in: disk.seen)
        var offset = HeadPage.framesStart
        guard page.end <= disk.seen.count || page.generation == 0 else {
            throw .corrupt("the log is shorter than its head page says", at: page.head.number)
        }
        while offset < page.end {
            let first = contents.head.number.next
            let (batch, hash) = try Frame.decode(disk.seen, at: &offset, end: page.end, first: first)
            try contents.append(batch)
            guard contents.head.hash == hash else { throw .corrupt("the hash chain is broken", at: first) }
            note(batch)
        }
        guard contents.head == page.head else {
            throw .corrupt("the head page names another end", at: page.head.number)
        }
    }

    func append(_ batch: LogBatch) throws(LogError) {
        guard !batch.isEmpty || !batch.tasks.isEmpty || !batch.templates.isEmpty else { return }
        var next = HeadPage()
        next.generation = page.generation + 1
        next.head = try encoded.encode(batch.events, after: page.head)
        let frame = Frame.encode(batch, events: encoded, hash: next.head.hash)
        next.end = page.end + frame.count
        do throws(SimulatedDisk.Fault) {
            try write(frame, at: page.end)
            try disk.sync()
            try disk.write(next.encoded, at: next.offset)
            try disk.sync()
        } catch {
            switch error {
            case .full: throw LogError.diskFull(path: "simulated")
            case .stopped: throw LogError.inputOutput(operation: "write", reason: "the machine has stopped")
            }
        }
        page = next
        try contents.append(batch)
        note(batch)
    }

    /// In pieces, so that a failure can come between them.
    private func write(_ bytes: [UInt8], at offset: Int) throws(SimulatedDisk.Fault) {
        let pieceBytes = 1024
        for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
            try disk.write(bytes[start..<min(start + pieceBytes, bytes.count)], at: offset + start)
        }
    }

    private func note(_ batch: LogBatch) {
        if !batch.events.isEmpty { commits.append(contents.head) }
        for task in batch.tasks where known.insert(task.id).inserted { tasks.append(task.id) }
    }

    /// The last event that no failure can take away any more.
    var keptNumber: SequenceNumber { HeadPage.newest(in: disk.kept).head.number }

    // MARK: Questions

    func openTasks() throws(LogError) -> [TaskSummary] { try contents.openTasks() }
    func snapshot(of task: TaskID) throws(LogError) -> TaskSnapshotBytes? { try contents.snapshot(of: task) }
    func event(_ number: SequenceNumber) throws(LogError) -> EventRecord? { try contents.event(number) }
    func task(_ id: TaskID) throws(LogError) -> TaskSummary? { try contents.task(id) }
    func lastRegistration() throws(LogError) -> SequenceNumber { try contents.lastRegistration() }
    func limits() throws(LogError) -> [LimitRow] { try contents.limits() }
    func template(_ digest: TemplateDigest) throws(LogError) -> Template? { try contents.template(digest) }

    func task(namespace: String, name: String, key: String) throws(LogError) -> TaskID? {
        try contents.task(namespace: namespace, name: name, key: key)
    }

    func tasks(matching filter: TaskFilter, limit: Int) throws(LogError) -> [TaskSummary] {
        try contents.tasks(matching: filter, limit: limit)
    }

    func tasks(idPrefix: String, limit: Int) throws(LogError) -> [TaskSummary] {
        try contents.tasks(idPrefix: idPrefix, limit: limit)
    }

    func events(
        of task: TaskID, after number: SequenceNumber, payloads: Payloads, _ body: (EventRecord) throws -> Void
    ) throws { try contents.events(of: task, after: number, payloads: payloads, body) }

    func events(
        after number: SequenceNumber, payloads: Payloads, _ body: (EventRecord) throws -> Bool
    ) throws { try contents.events(after: number, payloads: payloads, body) }

    func logLines(
        of task: TaskID, after position: LogLinePosition?, _ body: (LogLine) throws -> Bool
    ) throws { try contents.logLines(of: task, after: position, body) }
}
