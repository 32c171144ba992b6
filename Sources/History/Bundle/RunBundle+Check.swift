import StepwellKernel
import StepwellLog
package import StepwellModel

extension RunBundle {
    /// Holds the bundle against itself: the events are all of the task and fold to the state hash, the template has its digest,
    /// and the commits have their hashes.
    ///
    /// - Returns: the task as it is after its last event, and how many commits could not be proven: those of a form that takes
    ///   all of their events, which the bundle does not have.
    /// - Throws: ``BundleError``
    package func check() throws -> (summary: TaskSummary, unproven: Int) {
        guard SHA256.hash(templateBytes) == templateDigest.bytes else {
            throw wrong("the template is not that of its digest")
        }
        let folded: FoldedTask
        do {
            try checkLinks()
            let template = try templateBytes.withUnsafeBytes { try TemplateCodec.decode($0, digest: templateDigest) }
            folded = try FoldedTask(events.lazy.map(\.record), template, digest: templateDigest)
        } catch let error as LogError {
            throw wrong(error.message)
        } catch let error as FoldError {
            throw wrong("event \(error.number): \(error.reason)")
        }
        guard folded.stateHash == stateHash, folded.summary.state == state else {
            throw wrong("the events give another state than was exported")
        }
        let leases = Set(
            events.lazy.compactMap { event -> SequenceNumber? in
                if case .attemptStarted = event.record.event { event.record.number } else { nil }
            })
        let steps = 0..<folded.summary.stepCount
        guard logLines.allSatisfy({ leases.contains($0.lease) && steps.contains($0.step) }) else {
            throw wrong("a log line is of an attempt that the task does not have")
        }
        return (folded.summary, try checkCommits())
    }

    /// Each event names the one before.
    private func checkLinks() throws {
        var last = SequenceNumber.zero
        var count: UInt32 = 0
        guard case .taskSubmitted(let submission)? = events.first?.record.event, submission.template == templateDigest
        else {
            throw wrong("the first event does not submit the task")
        }
        for event in events {
            count += 1
            guard event.record.task == task, event.record.previous == last, event.record.taskNumber == count else {
                throw wrong("event \(event.record.number) does not follow the one before")
            }
            last = event.record.number
        }
    }

    private func checkCommits() throws -> Int {
        var hasher = CommitHasher()
        var unproven = 0
        var place = events.startIndex
        var before: Commit?
        for commit in commits {
            let start = place
            while place < events.endIndex, events[place].record.number <= commit.last { place += 1 }
            guard start < place, events[start].record.number >= commit.first, let previous = commit.previous else {
                throw wrong("the commit of events \(commit.first) to \(commit.last) has none of the task's")
            }
            if let before, before.last.next == commit.first, before.hash != previous {
                throw wrong("the commit of events \(commit.first) to \(commit.last) does not follow the one before")
            }
            before = commit
            switch try hash(of: commit, after: previous, events[start..<place], &hasher) {
            case nil: unproven += 1
            case commit.hash: break
            default: throw wrong("the hash of the commit of events \(commit.first) to \(commit.last) does not hold")
            }
        }
        guard place == events.endIndex else { throw wrong("event \(events[place].record.number) has no commit") }
        return unproven
    }

    private func hash(
        of commit: Commit, after previous: [UInt8], _ events: ArraySlice<BundledEvent>, _ hasher: inout CommitHasher
    ) throws -> [UInt8]? {
        // One buffer, so that all are valid at the same time.
        let bytes = events.flatMap(\.bytes)
        return try bytes.withUnsafeBytes { buffer in
            var start = 0
            let stored = events.map { event in
                let slice = UnsafeRawBufferPointer(rebasing: buffer[start..<(start + event.bytes.count)])
                start += event.bytes.count
                return StoredEvent(number: event.record.number, bytes: slice)
            }
            do throws(LogError) {
                if commit.runs == nil, stored.count <= Int(commit.last.rawValue - commit.first.rawValue) { return nil }
                try commit.check(stored)
                try checkRedaction(of: commit, events)
                return try hasher.hash(of: commit, after: previous, stored)
            } catch { throw wrong(error.message) }
        }
    }

    /// Exactly the events of runs that stand as hashes are called redacted.
    private func checkRedaction(of commit: Commit, _ events: ArraySlice<BundledEvent>) throws(LogError) {
        var end = commit.first.rawValue
        for run in commit.runs ?? [] {
            let range = end..<(end + UInt64(run.count))
            end = range.upperBound
            for event in events where range.contains(event.record.number.rawValue) {
                guard event.isRedacted == (run.hash != nil) else {
                    throw .corrupt("the commit does not tell that it is redacted", at: event.record.number)
                }
            }
        }
    }

    private func wrong(_ what: String) -> BundleError { .damaged(line: 1, "task \(task): \(what)") }
}
