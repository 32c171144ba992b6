/// What is to come, by time; of two things at the same time the one that was planned first comes first.
struct Agenda<Happening> {
    private struct Entry {
        let time: Int64
        let order: UInt64
        let happening: Happening

        func isBefore(_ other: Entry) -> Bool { (time, order) < (other.time, other.order) }
    }

    /// A binary heap.
    private var entries: [Entry] = []
    private var count: UInt64 = 0

    mutating func plan(_ happening: Happening, at time: Int64) {
        count += 1
        entries.append(Entry(time: time, order: count, happening: happening))
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].isBefore(entries[parent]) else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    mutating func next() -> (time: Int64, happening: Happening)? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        guard !entries.isEmpty else { return (first.time, first.happening) }
        entries[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count {
                if entries[child].isBefore(entries[least]) { least = child }
            }
            guard least != parent else { return (first.time, first.happening) }
            entries.swapAt(parent, least)
            parent = least
        }
    }
}
