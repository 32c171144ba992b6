import StepwellEngine
import StepwellKernel
package import StepwellLog
package import StepwellModel

/// Holds a whole store against itself: every event decodes and has its checksum, the hash chain is unbroken, every recorded
/// decision is what the scheduler decides again, and everything that is derived from the events (summaries, indexes, snapshots) is
/// what the events give.
package struct Verification: ~Copyable {
    /// Where the checks begin: events before are only folded.
    private let from: SequenceNumber
    /// A hash that somebody has noted; some commit must have it.
    private let noted: [UInt8]?
    private let progress: (VerificationReport) -> Void

    private var decisions = DecisionCheck()
    private var hasher = CommitHasher()
    private var hash = HashChain.origin
    private var records: [EventRecord] = []
    private var report = VerificationReport()
    private var notedAt: Commit?

    /// Closed tasks whose summary is not yet as the store has it: late events are to come.
    private var unsettled: [TaskID: TaskSummary] = [:]
    /// The owner of each identity key, by namespace, name and key.
    private var owners: [[String]: TaskID] = [:]
    private var taskCount = 0
    private var snapshots: [SequenceNumber: TaskSnapshotBytes] = [:]

    /// How many events there are between two reports of progress.
    private static let stride = 1 << 18

    private init(from: SequenceNumber, noted: [UInt8]?, progress: @escaping (VerificationReport) -> Void) {
        self.from = from
        self.noted = noted
        self.progress = progress
    }

    /// Checks the store as it is at this moment.
    ///
    /// - Parameters:
    ///   - from: the event with which the checks begin; what is before is folded unchecked.
    ///   - noted: a hash of a commit that was noted earlier.
    /// - Throws: ``LogError/corrupt(_:at:)`` with the first event that is wrong, ``VerificationError`` when the noted hash is
    ///   none of this log's.
    package static func run(
        _ store: some StoreQueries, from: SequenceNumber = SequenceNumber(1), against noted: [UInt8]? = nil,
        progress: @escaping (VerificationReport) -> Void = { _ in }
    ) throws -> VerificationReport {
        try store.view { view in
            var verification = Verification(from: from, noted: noted, progress: progress)
            try verification.run(view)
            return verification.report
        }
    }

    private mutating func run(_ view: borrowing StoreView) throws {
        report.head = try view.head()
        for snapshot in try view.snapshots() { snapshots[snapshot.number] = snapshot }
        try view.commits(after: .zero) { commit, events in
            try decode(commit, events)
            if commit.last >= from { try checkChain(commit, events) } else { hash = commit.hash }
            try rehearse(view)
            for summary in try endCommit() { try check(summary, view) }
            if commit.hash == noted { notedAt = commit }
            let before = report.events
            report.events += events.count
            report.commits += 1
            report.last = commit.last
            report.time = commit.time
            if before / Self.stride != report.events / Self.stride { progress(report) }
            return true
        }
        try checkIndexes(view)
        report.tasksOpen = decisions.state.openTaskCount
        report.tasks = taskCount
        report.notedAt = notedAt.map { VerificationReport.Noted(last: $0.last, time: $0.time) }
        if noted != nil, notedAt == nil { throw VerificationError.unknownHash }
    }

    // MARK: Events

    private mutating func decode(_ commit: Commit, _ events: [StoredEvent]) throws {
        records.removeAll(keepingCapacity: true)
        for event in events {
            records.append(try EventCodec.decode(event.bytes, number: event.number, payloads: .skipped))
        }
        guard let last = records.last, last.time == commit.time else {
            throw LogError.corrupt("its commit says another time", at: commit.last)
        }
    }

    private mutating func checkChain(_ commit: Commit, _ events: [StoredEvent]) throws {
        hasher.begin(after: hash, form: commit.form)
        for (event, record) in zip(events, records) { hasher.add(event.bytes, of: record.task) }
        guard hasher.finish() == commit.hash else {
            let range =
                commit.first == commit.last ? "event \(commit.first)" : "events \(commit.first) to \(commit.last)"
            throw LogError.corrupt(
                "the hash chain does not hold for \(range): they are not what was written", at: commit.first)
        }
        hash = commit.hash
    }

    private mutating func rehearse(_ view: borrowing StoreView) throws {
        for record in records {
            var closed: TaskSummary?
            if let task = record.task {
                if case .taskSubmitted(let submission) = record.event {
                    try submit(task, submission, record.number, view)
                } else if decisions.state[task] == nil {
                    closed = try summary(of: task, before: record, view)
                }
            }
            do throws(DecisionError) {
                try decisions.take(record, closed: closed)
            } catch { throw LogError.corrupt(error.description, at: error.number) }
        }
    }

    private mutating func submit(
        _ task: TaskID, _ submission: Submission, _ number: SequenceNumber, _ view: borrowing StoreView
    ) throws {
        taskCount += 1
        if let key = submission.key { owners[[submission.namespace, submission.name, key]] = task }
        guard decisions.state.plan(submission.template) == nil else { return }
        guard let template = try view.template(submission.template) else {
            throw LogError.corrupt("its template \(submission.template) is missing", at: number)
        }
        decisions.adopt(Plan(template, digest: submission.template))
    }

    /// A closed task before something that came late: what the index says now, taken back to that moment.
    private func summary(
        of task: TaskID, before record: EventRecord, _ view: borrowing StoreView
    ) throws -> TaskSummary {
        if let summary = unsettled[task] { return summary }
        throw LogError.corrupt("it is an event of task \(task), which is not there or has ended", at: record.number)
    }

    private mutating func endCommit() throws -> [TaskSummary] {
        let summaries: [TaskSummary]
        do throws(DecisionError) {
            summaries = try decisions.endCommit()
        } catch { throw LogError.corrupt(error.description, at: error.number) }
        if !snapshots.isEmpty {
            for summary in summaries {
                if let snapshot = snapshots[summary.last] { try check(snapshot) }
            }
        }
        return summaries
    }

    // MARK: What is derived

    /// A closed task must be in the tables as it is now, unless something came late.
    private mutating func check(_ summary: TaskSummary, _ view: borrowing StoreView) throws {
        guard summary.state.isClosed else { return }
        guard let stored = try view.task(summary.id) else { throw missing(summary) }
        if stored.last != summary.last {
            unsettled[summary.id] = summary
            return
        }
        unsettled[summary.id] = nil
        try compare(summary, stored, view)
    }

    private func compare(_ summary: TaskSummary, _ stored: TaskSummary, _ view: borrowing StoreView) throws {
        guard stored == summary else {
            throw LogError.corrupt("the summary of task \(summary.id) is not what its events give", at: summary.last)
        }
        guard try view.isListedByState(summary) else {
            throw LogError.corrupt("the index by state lacks task \(summary.id)", at: summary.last)
        }
        guard try view.isListedAsOpen(summary.id) != summary.state.isClosed else {
            throw LogError.corrupt("the index of open tasks is wrong about task \(summary.id)", at: summary.last)
        }
    }

    private func missing(_ summary: TaskSummary) -> LogError {
        .corrupt("the summary of task \(summary.id) is missing", at: summary.last)
    }

    private mutating func check(_ snapshot: TaskSnapshotBytes) throws {
        guard let task = decisions.state[snapshot.task], SnapshotCodec.agrees(snapshot.bytes, with: task) else {
            throw LogError.corrupt(
                "the snapshot of task \(snapshot.task) is not what its events give", at: snapshot.number)
        }
        snapshots[snapshot.number] = nil
    }

    private func checkIndexes(_ view: borrowing StoreView) throws {
        if let summary = unsettled.values.min(by: { $0.last < $1.last }) {
            throw LogError.corrupt("the summary of task \(summary.id) is not what its events give", at: summary.last)
        }
        for task in decisions.state.openTasks {
            guard let stored = try view.task(task.id) else { throw missing(task.summary) }
            try compare(task.summary, stored, view)
        }
        for (identity, owner) in owners {
            guard try view.owner(namespace: identity[0], name: identity[1], key: identity[2]) == owner else {
                throw LogError.corrupt("the index of keys is wrong about '\(identity[2])' of \(identity[1])", at: nil)
            }
        }
        let found = try view.counts()
        guard found == (taskCount, decisions.state.openTaskCount, taskCount, owners.count) else {
            throw LogError.corrupt("an index has rows that no event gives", at: nil)
        }
        for digest in try view.templates() { _ = try view.template(digest) }
        if let snapshot = snapshots.values.min(by: { $0.number < $1.number }) {
            throw LogError.corrupt(
                "a snapshot of task \(snapshot.task) names an event that is not its", at: snapshot.number)
        }
    }
}
