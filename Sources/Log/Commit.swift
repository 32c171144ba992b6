package import StepwellModel

/// One commit of events, as the log records it.
package struct Commit: Hashable, Sendable {
    package var first: SequenceNumber
    package var last: SequenceNumber
    /// The time of its last event.
    package var time: Timestamp
    package var hash: [UInt8]
    package var form: HashChain.Form
    /// Its runs in order, when the store lacks some of their events; nil when all are there as they were written.
    package var runs: [CommitRun]?
    /// The hash of the commit before, when the store may lack that one.
    package var previous: [UInt8]?

    package init(
        first: SequenceNumber, last: SequenceNumber, time: Timestamp, hash: [UInt8], form: HashChain.Form,
        runs: [CommitRun]? = nil, previous: [UInt8]? = nil
    ) {
        self.first = first
        self.last = last
        self.time = time
        self.hash = hash
        self.form = form
        self.runs = runs
        self.previous = previous
    }
}

/// Neighbouring events of one commit that are of one task, or of none.
package struct CommitRun: Hashable, Sendable {
    package var count: Int
    /// Set when the run's events are not in the store as they were written: gone, or with values taken out.
    package var hash: [UInt8]?

    package init(count: Int, hash: [UInt8]? = nil) {
        self.count = count
        self.hash = hash
    }
}

/// An event as it lies in the store; its bytes are valid as long as the view that it is from.
package struct StoredEvent {
    package var number: SequenceNumber
    package var bytes: UnsafeRawBufferPointer

    package init(number: SequenceNumber, bytes: UnsafeRawBufferPointer) {
        self.number = number
        self.bytes = bytes
    }
}

extension Commit {
    /// Which events the store may lack, as ranges of numbers.
    private var gaps: [ClosedRange<SequenceNumber>] {
        var gaps: [ClosedRange<SequenceNumber>] = []
        var next = first.rawValue
        for run in runs ?? [] where run.count > 0 {
            let end = next + UInt64(run.count)
            if run.hash != nil { gaps.append(SequenceNumber(next)...SequenceNumber(end - 1)) }
            next = end
        }
        return gaps
    }

    /// The first number from `number` on that the commit says is there.
    func firstPresent(from number: SequenceNumber) -> SequenceNumber {
        var next = max(number, first)
        for gap in gaps where gap.contains(next) { next = gap.upperBound.next }
        return next
    }

    /// The commit without what is after `number`, but with its present hash; nil when nothing is left. A run whose events are
    /// gone cannot be cut, and goes as a whole.
    package func cut(after number: SequenceNumber) -> Commit? {
        guard number < last else { return self }
        guard number >= first else { return nil }
        var commit = self
        commit.last = number
        guard let runs else { return commit }
        var left = Int(number.rawValue - first.rawValue) + 1
        commit.runs = []
        for run in runs where left > 0 {
            if run.count <= left || run.hash == nil {
                commit.runs?.append(CommitRun(count: min(run.count, left), hash: run.hash))
                left -= run.count
            } else {
                commit.last = SequenceNumber(number.rawValue - UInt64(left))
                left = 0
            }
        }
        return commit.last >= first ? commit : nil
    }

    /// Refuses events that are not all that the commit says are there.
    package func check(_ events: [StoredEvent]) throws(LogError) {
        if let runs, runs.reduce(0, { $0 + $1.count }) != Int(last.rawValue - first.rawValue) + 1 {
            throw .corrupt("the runs of the commit have another number of events", at: last)
        }
        var next = firstPresent(from: first)
        for event in events where event.number >= next {
            guard event.number == next else { break }
            next = firstPresent(from: next.next)
        }
        guard next > last else { throw .corrupt("the event is missing", at: next) }
    }
}

extension Commit {
    /// The runs that the events make, those that are gone among them. A run that `isKept` refuses stands as its hash.
    ///
    /// - Parameter events: all of the commit that are there.
    package func runs(
        of events: [StoredEvent], keeping isKept: (_ run: (task: TaskID?, first: SequenceNumber), [StoredEvent]) -> Bool
    ) throws(LogError) -> [CommitRun] {
        var hasher = SHA256()
        var found: [CommitRun] = []
        var place = events.startIndex
        var next = first
        for known in runs ?? [CommitRun(count: Int(last.rawValue - first.rawValue) + 1)] {
            let end = SequenceNumber(next.rawValue + UInt64(known.count))
            guard known.hash == nil else {
                found.append(known)
                while place < events.endIndex, events[place].number < end { place += 1 }
                next = end
                continue
            }
            while next < end, place < events.endIndex {
                let start = place
                let task = try EventCodec.task(events[start].bytes, number: next)
                while place < events.endIndex, events[place].number < end,
                    try EventCodec.task(events[place].bytes, number: events[place].number) == task
                {
                    hasher.update(events[place].bytes)
                    place += 1
                }
                let hash = hasher.finish()
                let isKept = isKept((task, next), Array(events[start..<place]))
                found.append(CommitRun(count: place - start, hash: isKept ? nil : hash))
                next = SequenceNumber(next.rawValue + UInt64(place - start))
            }
            next = end
        }
        return found
    }
}

extension CommitHasher {
    /// The hash that a commit should have, from the events that are there and the hashes of the runs that are not.
    /// - Returns: nil when it cannot be told: of a commit of the flat form that lacks events.
    package mutating func hash(
        of commit: Commit, after previous: [UInt8], _ events: [StoredEvent]
    ) throws(LogError) -> [UInt8]? {
        let whole = [CommitRun(count: Int(commit.last.rawValue - commit.first.rawValue) + 1)]
        let runs = commit.runs ?? whole
        guard commit.form == .runs || runs.allSatisfy({ $0.hash == nil }) else { return nil }
        begin(after: previous, form: commit.form)
        var place = events.startIndex
        var end = commit.first.rawValue
        for run in runs {
            end += UInt64(run.count)
            if let hash = run.hash { add(run: hash) }
            while place < events.endIndex, events[place].number.rawValue < end {
                let event = events[place]
                // What stands in the place of an event that was altered is not what was hashed.
                if run.hash == nil { add(event.bytes, of: try EventCodec.task(event.bytes, number: event.number)) }
                place += 1
            }
        }
        return finish()
    }
}
