import StepwellModel

/// Who holds what: every attempt that some worker runs, in the order in which they were started.
struct Leases: Sendable {
    struct Entry: Hashable, Sendable {
        let lease: Lease
        let worker: WorkerID
        let task: TaskID
        let step: StepIndex
        let attempt: Int
        /// Where the step had waited, and its attempt counts.
        let lane: Int32
        /// Set when the attempt has no say any more but its worker has not ended it yet.
        var givenUp: RejectedResult.Reason?
        fileprivate var isHeld = true

        init(lease: Lease, worker: WorkerID, task: TaskID, step: StepIndex, attempt: Int, lane: Int32) {
            self.lease = lease
            self.worker = worker
            self.task = task
            self.step = step
            self.attempt = attempt
            self.lane = lane
        }

        var id: AttemptID { AttemptID(step: step, attempt: attempt, lease: lease, worker: worker) }
    }

    /// By their leases. What is not held any more stays in its place until it is the greater part: to move all entries
    /// behind it at once would make every end of an attempt as dear as there are attempts.
    private var entries: ContiguousArray<Entry> = []
    private(set) var count = 0

    /// All that are held, the oldest first.
    var held: ContiguousArray<Entry> { entries.filter(\.isHeld) }

    subscript(lease: Lease) -> Entry? {
        place(of: lease).map { entries[$0] }
    }

    /// Leases grow, so the new one nearly always goes to the end; only recovery, task by task, brings them out of order.
    mutating func insert(_ entry: Entry) {
        count += 1
        if let last = entries.last, last.lease > entry.lease {
            entries.insert(entry, at: bound(entry.lease))
        } else {
            entries.append(entry)
        }
    }

    /// Removes a lease and gives its entry, or nil if it was not held.
    mutating func remove(_ lease: Lease) -> Entry? {
        guard let place = place(of: lease) else { return nil }
        let entry = entries[place]
        entries[place].isHeld = false
        count -= 1
        if entries.count > 2 * count + 64 { entries.removeAll { !$0.isHeld } }
        return entry
    }

    mutating func giveUp(_ lease: Lease, because reason: RejectedResult.Reason) {
        guard let place = place(of: lease) else { return }
        entries[place].givenUp = reason
    }

    /// Removes those that were given up, and gives them.
    @discardableResult
    mutating func removeGivenUp(where isGone: (Entry) -> Bool) -> [Entry] {
        let gone = entries.filter { $0.isHeld && $0.givenUp != nil && isGone($0) }
        entries.removeAll { !$0.isHeld || $0.givenUp != nil && isGone($0) }
        count = entries.count
        return Array(gone)
    }

    private func place(of lease: Lease) -> Int? {
        let place = bound(lease)
        return place < entries.count && entries[place].lease == lease && entries[place].isHeld ? place : nil
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
