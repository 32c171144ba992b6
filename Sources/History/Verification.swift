import StepwellEngine
import StepwellKernel
package import StepwellLog
package import StepwellModel

/// Holds a whole store against itself: every event decodes and has its checksum, the hash chain is unbroken, every recorded
/// decision is what the scheduler decides again, and everything that is derived from the events (summaries, indexes, snapshots) is
/// what the events give.
public struct Verification: ~Copyable {
    /// Where the hash chain is taken up: the commits before are believed.
    private let from: SequenceNumber
    /// A hash that somebody has noted; some commit must have it.
    private let noted: [UInt8]?
    private let progress: (VerificationReport) -> Void

    /// Whether what is derived from the events is checked too.
    private let checksDerived: Bool

    private var decisions = DecisionCheck()
    /// Set when the store lacks events.
    private var partial: PartialFold?
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

    private init(
        from: SequenceNumber, noted: [UInt8]?, checksDerived: Bool, progress: @escaping (VerificationReport) -> Void
    ) {
        self.from = from
        self.noted = noted
        self.checksDerived = checksDerived
        self.progress = progress
    }

    /// Checks the store in that directory as it is at this moment, also while an engine writes it.
    /// - Throws: ``LogError/corrupt(_:at:)`` with the first event that is wrong.
    public static func run(store path: String) throws -> VerificationReport {
        try run(LMDBReader(path: path))
    }

    /// Checks the store as it is at this moment.
    ///
    /// - Parameters:
    ///   - from: the event from which on the hash chain is followed; all else is checked from the beginning.
    ///   - noted: a hash of a commit that was noted earlier.
    /// - Throws: ``LogError/corrupt(_:at:)`` with the first event that is wrong, ``VerificationError`` when the noted hash is
    ///   none of this log's.
    package static func run(
        _ store: some StoreQueries, from: SequenceNumber = SequenceNumber(1), against noted: [UInt8]? = nil,
        progress: @escaping (VerificationReport) -> Void = { _ in }
    ) throws -> VerificationReport {
        let origin = try store.origin()
        let isImported = origin?.kind == .imported
        do {
            return try store.view { view in
                var verification = Verification(from: from, noted: noted, checksDerived: true, progress: progress)
                verification.report.isImported = isImported
                verification.report.head = try view.head()
                for snapshot in try view.snapshots() { verification.snapshots[snapshot.number] = snapshot }
                try verification.run(view)
                return verification.report
            }
        } catch VerificationError.unknownHash where isImported {
            throw try whyUnknown(noted, in: store, origin)
        }
    }

    /// Why a noted hash is not that of a commit in a store that holds only some tasks of the log.
    private static func whyUnknown(
        _ noted: [UInt8]?, in store: some StoreQueries, _ origin: StoreOrigin?
    ) throws -> VerificationError {
        if let origin, origin.hash == noted { return .headOfTheLog(origin.head) }
        for summary in try store.tasks(matching: TaskFilter(), limit: .max) {
            guard let template = try store.template(summary.template) else { continue }
            var records: [EventRecord] = []
            try store.events(of: summary.id, after: .zero, payloads: .skipped) { records.append($0) }
            let folded = try FoldedTask(records, template, digest: summary.template)
            if folded.stateHash == noted { return .stateHash(summary.id) }
        }
        return .notInThisPart
    }

    /// How far the log of a damaged store is sound, whatever became of the rest and of what is derived from it.
    /// - Returns: what was found in order, and the first fault; nil when there is none.
    package static func soundPrefix(
        _ store: some StoreQueries, progress: @escaping (VerificationReport) -> Void = { _ in }
    ) throws -> (report: VerificationReport, fault: (any StepwellError)?) {
        try store.view { view in
            var verification = Verification(
                from: SequenceNumber(1), noted: nil, checksDerived: false, progress: progress)
            do {
                try verification.run(view)
                return (verification.report, nil)
            } catch let fault as any StepwellError {
                return (verification.report, fault)
            }
        }
    }

    private mutating func run(_ view: borrowing StoreView) throws {
        report.absent = try view.absentCount()
        if report.absent > 0 { partial = PartialFold() }
        try view.commits(after: .zero) { commit, events in
            try decode(commit, events)
            if commit.last >= from { try checkChain(commit, events) } else { hash = commit.hash }
            try rehearse(view)
            for summary in try endCommit() where checksDerived { try check(summary, view) }
            if commit.hash == noted { notedAt = commit }
            let before = report.events
            report.events += events.count
            report.commits += 1
            report.last = commit.last
            report.time = commit.time
            if before / Self.stride != report.events / Self.stride { progress(report) }
            return true
        }
        if checksDerived { try checkIndexes(view) }
        report.tasksOpen = state.openTaskCount
        report.tasks = taskCount
        report.notedAt = notedAt.map { VerificationReport.Noted(last: $0.last, time: $0.time) }
        if noted != nil, notedAt == nil { throw VerificationError.unknownHash }
    }

    // MARK: Events

    /// The state that the events before have given.
    private var state: State { partial?.state ?? decisions.state }

    private mutating func decode(_ commit: Commit, _ events: [StoredEvent]) throws {
        records.removeAll(keepingCapacity: true)
        for event in events {
            records.append(try EventCodec.decode(event.bytes, number: event.number, payloads: .skipped))
        }
        if let last = records.last, last.number == commit.last, last.time != commit.time {
            throw LogError.corrupt("its commit says another time", at: commit.last)
        }
    }

    private mutating func checkChain(_ commit: Commit, _ events: [StoredEvent]) throws {
        let follows = commit.first == report.last.next
        if follows, let previous = commit.previous, previous != hash {
            throw LogError.corrupt("its commit names another hash of the commit before", at: commit.first)
        }
        let previous = commit.previous ?? hash
        let found: [UInt8]?
        if commit.runs == nil {
            hasher.begin(after: previous, form: commit.form)
            for (event, record) in zip(events, records) { hasher.add(event.bytes, of: record.task) }
            found = hasher.finish()
        } else {
            found = try hasher.hash(of: commit, after: previous, events)
        }
        if found == nil { report.unproven += 1 }
        guard found ?? commit.hash == commit.hash else {
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
                } else if !(partial?.knows(task) ?? (decisions.state[task] != nil)) {
                    closed = try summary(of: task, before: record)
                }
            }
            guard partial == nil else {
                try partial?.take(record, closed: closed)
                continue
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
        guard state.plan(submission.template) == nil else { return }
        guard let template = try view.template(submission.template) else {
            throw LogError.corrupt("its template \(submission.template) is missing", at: number)
        }
        let plan = Plan(template, digest: submission.template)
        if partial == nil { decisions.adopt(plan) } else { partial?.adopt(plan) }
    }

    /// A closed task before something that came late.
    private func summary(of task: TaskID, before record: EventRecord) throws -> TaskSummary {
        if let summary = unsettled[task] { return summary }
        throw LogError.corrupt("it is an event of task \(task), which is not there or has ended", at: record.number)
    }

    private mutating func endCommit() throws -> [TaskSummary] {
        var summaries: [TaskSummary]
        do throws(DecisionError) {
            summaries = try decisions.endCommit()
            if partial != nil { summaries = partial?.endCommit() ?? [] }
        } catch { throw LogError.corrupt(error.description, at: error.number) }
        guard checksDerived else {
            // No index tells of these: they may get something late.
            for summary in summaries where summary.state.isClosed { unsettled[summary.id] = summary }
            return summaries
        }
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
        guard let task = state[snapshot.task], SnapshotCodec.agrees(snapshot.bytes, with: task) else {
            throw LogError.corrupt(
                "the snapshot of task \(snapshot.task) is not what its events give", at: snapshot.number)
        }
        snapshots[snapshot.number] = nil
    }

    private func checkIndexes(_ view: borrowing StoreView) throws {
        if let summary = unsettled.values.min(by: { $0.last < $1.last }) {
            throw LogError.corrupt("the summary of task \(summary.id) is not what its events give", at: summary.last)
        }
        for task in state.openTasks {
            guard let stored = try view.task(task.id) else { throw missing(task.summary) }
            try compare(task.summary, stored, view)
        }
        for (identity, owner) in owners {
            guard try view.owner(namespace: identity[0], name: identity[1], key: identity[2]) == owner else {
                throw LogError.corrupt("the index of keys is wrong about '\(identity[2])' of \(identity[1])", at: nil)
            }
        }
        let found = try view.counts()
        guard found == (taskCount, state.openTaskCount, taskCount, owners.count) else {
            throw LogError.corrupt("an index has rows that no event gives", at: nil)
        }
        // Tasks that are gone have taken from the buckets too.
        let limits = try view.limits()
        guard limits.map(\.number) == state.limitRows.map(\.number), partial != nil || limits == state.limitRows else {
            throw LogError.corrupt("the rows of the limits are not what the events give", at: nil)
        }
        for digest in try view.templates() { _ = try view.template(digest) }
        if let snapshot = snapshots.values.min(by: { $0.number < $1.number }) {
            throw LogError.corrupt(
                "a snapshot of task \(snapshot.task) names an event that is not its", at: snapshot.number)
        }
    }
}
