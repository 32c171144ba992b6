package import StepwellLog
package import StepwellModel

extension RunBundle {
    /// Takes a task out of a store's log, as it is at this moment.
    ///
    /// - Parameters:
    ///   - pointers: JSON pointers into inputs, results, checkpoints and metadata; their values are taken out.
    ///   - version: Stepwell's.
    /// - Throws: ``BundleError`` when a pointer finds nothing, ``LogError``, ``FoldError``; nil when there is no such task.
    package static func export(
        _ task: TaskID, from store: some StoreQueries, redacting pointers: [String] = [], version: String
    ) throws -> RunBundle? {
        let storeID = try store.writerID()
        var redaction = try Redaction(pointers)
        return try store.view { view in
            guard let summary = try view.task(task) else { return nil }
            guard let templateBytes = try view.templateBytes(summary.template) else {
                throw LogError.corrupt("the template \(summary.template) is missing", at: summary.first)
            }
            let template = try templateBytes.withUnsafeBytes { try TemplateCodec.decode($0, digest: summary.template) }
            let head = try view.head()
            var bundle = RunBundle(
                writtenBy: version, storeID: storeID, task: task, state: summary.state, head: head.number,
                headHash: head.hash, stateHash: [], redacted: pointers, templateDigest: summary.template,
                templateBytes: templateBytes, events: [], commits: [], logLines: [])
            for (record, bytes) in try view.events(of: summary) {
                if let event = redaction.redact(record.event) {
                    var changed = record
                    changed.event = event
                    var writer = CBORWriter()
                    EventCodec.encode(changed, into: &writer)
                    bundle.events.append(BundledEvent(record: changed, bytes: writer.bytes, isRedacted: true))
                } else {
                    bundle.events.append(BundledEvent(record: record, bytes: bytes))
                }
            }
            if let missed = pointers.first(where: { !redaction.found.contains($0) }) {
                throw BundleError.nothingRedacted(pointer: missed)
            }
            bundle.stateHash = try FoldedTask(
                bundle.events.lazy.map(\.record), template, digest: summary.template
            ).stateHash
            try bundle.takeCommits(view)
            try view.logLines(of: task) { bundle.logLines.append($0) }
            return bundle
        }
    }

    /// The commits of the events, with the hashes of the other tasks' runs.
    private mutating func takeCommits(_ view: borrowing StoreView) throws {
        let altered = Set(events.lazy.filter(\.isRedacted).map(\.record.number))
        var place = events.startIndex
        while place < events.endIndex {
            guard var commit = try view.commit(holding: events[place].record.number) else {
                throw LogError.corrupt("the event belongs to no commit", at: events[place].record.number)
            }
            if commit.form == .runs {
                commit.runs = try view.runs(of: commit) { run, events in
                    run.task == task && !events.contains { altered.contains($0.number) }
                }
            } else {
                commit.runs = nil
            }
            mark(commit)
            if commit.previous == nil {
                let before = SequenceNumber(commit.first.rawValue - 1)
                commit.previous = before == .zero ? HashChain.origin : try view.commit(holding: before)?.hash ?? []
            }
            commits.append(commit)
            while place < events.endIndex, events[place].record.number <= commit.last { place += 1 }
        }
    }

    /// Events of a run whose hash stands for what was there cannot be proven one by one: something in it was taken out, now or before
    /// an import.
    private mutating func mark(_ commit: Commit) {
        var end = commit.first.rawValue
        for run in commit.runs ?? [] {
            let range = end..<(end + UInt64(run.count))
            end = range.upperBound
            guard run.hash != nil else { continue }
            for place in events.indices where range.contains(events[place].record.number.rawValue) {
                events[place].isRedacted = true
            }
        }
    }
}
