import StepwellKernel
package import StepwellLog
package import StepwellModel

/// A store made from the beginning of another one's log: the same events and commits, and all that is derived from events by
/// folding them anew. The other store is only read.
package struct StoreCopy: ~Copyable {
    private let last: SequenceNumber
    private let editor: StoreEditor
    private var state = State()
    private var batch = StoredBatch()
    /// The tasks of the batch as they are at its end, and the order in which they came.
    private var summaries: [TaskID: TaskSummary] = [:]
    private var order: [TaskID] = []
    /// The last commit that was taken.
    private var hash = HashChain.origin
    private var time = Timestamp.zero

    private enum Limit {
        static let events = 20_000
        static let bytes = 16 << 20
    }

    private init(last: SequenceNumber, editor: StoreEditor) {
        self.last = last
        self.editor = editor
    }

    /// Copies the events up to `last`, and what was decided with it, into a new store, with the templates of its tasks and the
    /// log lines of its attempts.
    ///
    /// A commit that is cut gets a hash of its own; all before keep theirs. The new store has an id of its own.
    /// - Parameters:
    ///   - cutsLogLines: whether log lines that are later than the last event stay behind.
    ///   - isSalvage: whether the other store is damaged: log lines that cannot be read stay behind.
    /// - Throws: ``LogError``, or ``FoldError`` when the events cannot follow each other. There is no new store then.
    package static func build(
        _ target: NewStore, from source: some StoreQueries, through last: SequenceNumber, cutsLogLines: Bool,
        isSalvage: Bool = false
    ) throws -> LogHead {
        let storeID = try source.storeID()
        return try target.make { path in
            var copy = StoreCopy(last: last, editor: try StoreEditor(path: path))
            try source.view { view in
                // A damaged store may not know.
                let head = (try? view.head()) ?? .empty
                try copy.editor.setOrigin(
                    StoreOrigin(kind: .copied, storeID: storeID, head: head.number, hash: head.hash))
                try copy.takeEvents(view)
                try copy.takeLogLines(view, until: cutsLogLines ? copy.time : .never, isSalvage: isSalvage)
            }
        }
    }

    // MARK: Events

    private mutating func takeEvents(_ view: borrowing StoreView) throws {
        guard last > .zero else { return }
        var hasher = CommitHasher()
        try view.commits(after: .zero) { commit, events in
            guard let taken = commit.cut(after: try Self.end(of: commit, events, last)) else { return false }
            let events = events.filter { $0.number <= taken.last }
            for event in events {
                let record = try EventCodec.decode(event.bytes, number: event.number, payloads: .skipped)
                try fold(record, view)
                batch.events.append((event.number, Array(event.bytes)))
                time = record.time
            }
            try take(taken, isCut: taken.last < commit.last, events, &hasher)
            if batch.events.count >= Limit.events || batch.byteCount >= Limit.bytes { try flush() }
            return commit.last < last
        }
        for task in state.openTasks { set(task.summary) }
        batch.limits = state.limitRows
        try flush()
    }

    /// Where the commit may be cut so that the event is in it: behind all that was decided at the same moment, because of the
    /// same fact. An engine would never see to the rest of it.
    private static func end(
        of commit: Commit, _ events: [StoredEvent], _ last: SequenceNumber
    ) throws(LogError) -> SequenceNumber {
        guard last < commit.last else { return commit.last }
        for event in events where event.number > last {
            let record = try EventCodec.decode(event.bytes, number: event.number, payloads: .skipped)
            if !record.isDecision { return SequenceNumber(event.number.rawValue - 1) }
        }
        return commit.last
    }

    private mutating func take(
        _ commit: Commit, isCut: Bool, _ events: [StoredEvent], _ hasher: inout CommitHasher
    ) throws {
        var taken = commit
        if isCut {
            taken.time = time
            taken.form = .runs
            guard let hash = try hasher.hash(of: taken, after: commit.previous ?? hash, events) else {
                throw LogError.corrupt("the commit cannot be cut: it lacks events", at: commit.last)
            }
            taken.hash = hash
        }
        batch.commits.append(taken)
        hash = taken.hash
    }

    private mutating func fold(_ record: EventRecord, _ view: borrowing StoreView) throws {
        if case .templateRegistered(let registration) = record.event {
            guard let bytes = try view.templateBytes(registration.template) else {
                throw LogError.corrupt("the template \(registration.template) is missing", at: record.number)
            }
            batch.templates.append((registration.template, bytes))
            batch.registered = record.number
        }
        if case .taskSubmitted(let submission) = record.event, state.plan(submission.template) == nil {
            guard let bytes = try view.templateBytes(submission.template) else {
                throw LogError.corrupt("the template \(submission.template) is missing", at: record.number)
            }
            let template = try bytes.withUnsafeBytes { try TemplateCodec.decode($0, digest: submission.template) }
            state.adopt(Plan(template, digest: submission.template))
            batch.templates.append((submission.template, bytes))
        }
        let isLate = record.task.map { state[$0] == nil } ?? false
        if let closed = try state.fold(record) { return set(closed.summary) }
        guard let id = record.task else { return }
        if case .taskSubmitted = record.event, let task = state[id] { return set(task.summary) }
        guard isLate else { return }
        guard var summary = try summaries[id] ?? editor.task(id) else {
            throw LogError.corrupt("it is an event of task \(id), which is not there", at: record.number)
        }
        summary.noteLate(record)
        set(summary)
    }

    private mutating func set(_ summary: TaskSummary) {
        if summaries.updateValue(summary, forKey: summary.id) == nil { order.append(summary.id) }
    }

    private mutating func flush() throws(LogError) {
        batch.tasks = order.compactMap { summaries[$0] }
        try editor.write(batch)
        batch = StoredBatch()
        summaries.removeAll(keepingCapacity: true)
        order.removeAll(keepingCapacity: true)
    }

    // MARK: Log lines

    private mutating func takeLogLines(
        _ view: borrowing StoreView, until end: Timestamp, isSalvage: Bool
    ) throws {
        var task: TaskID?
        var isKept = false
        try view.logLines(passingOverDamage: isSalvage) { line in
            if line.task != task {
                task = line.task
                isKept = try editor.task(line.task) != nil
            }
            guard isKept, line.lease <= last, line.time <= end else { return }
            batch.logLines.append(line)
            if batch.logLines.count >= Limit.events { try flush() }
        }
        try flush()
    }
}

extension TaskSummary {
    /// Takes in what came late from a worker, when the task was closed.
    package mutating func noteLate(_ record: EventRecord) {
        last = record.number
        eventCount += 1
        changed = record.time
    }
}
