import StepwellModel

/// Who holds what: every attempt that some worker runs, in the order in which they were started.
struct Leases: Sendable {
    struct Entry: Hashable, Sendable {
        let lease: Lease
        let worker: WorkerID
        let task: TaskID
        let step: StepIndex
        let attempt: Int
        /// Set when the attempt has no say any more but its worker has not ended it yet.
        var givenUp: RejectedResult.Reason?

        var id: AttemptID { AttemptID(step: step, attempt: attempt, lease: lease, worker: worker) }
    }

    private(set) var entries: ContiguousArray<Entry> = []

    subscript(lease: Lease) -> Entry? {
        place(of: lease).map { entries[$0] }
    }

    /// Leases grow, so the new one nearly always goes to the end; only recovery, task by task, brings them out of order.
    mutating func insert(_ entry: Entry) {
        if let last = entries.last, last.lease > entry.lease {
            entries.insert(entry, at: bound(entry.lease))
        } else {
            entries.append(entry)
        }
    }

    /// Removes a lease and gives its worker, or nil if it was not held.
    mutating func remove(_ lease: Lease) -> WorkerID? {
        guard let place = place(of: lease) else { return nil }
        return entries.remove(at: place).worker
    }

    mutating func giveUp(_ lease: Lease, because reason: RejectedResult.Reason) {
        guard let place = place(of: lease) else { return }
        entries[place].givenUp = reason
    }

    mutating func removeGivenUp(where isGone: (Entry) -> Bool) {
        entries.removeAll { $0.givenUp != nil && isGone($0) }
    }

    private func place(of lease: Lease) -> Int? {
        let place = bound(lease)
        return place < entries.count && entries[place].lease == lease ? place : nil
    }

    /// The place of the first lease that is not less.
    private func bound(_ lease: Lease) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].lease < lease { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
