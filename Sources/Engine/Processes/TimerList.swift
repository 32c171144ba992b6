/// Timers in the order in which they come due. There are few at any time, so a sorted array serves.
package struct TimerList {
    package typealias ID = UInt64

    private struct Entry {
        var due: Int64
        var id: ID
        var body: () -> Void
    }

    /// The next one last.
    private var entries: [Entry] = []
    private var lastID: ID = 0

    var nextDue: Int64? { entries.last?.due }

    mutating func insert(due: Int64, _ body: @escaping () -> Void) -> ID {
        lastID += 1
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].due > due { low = middle + 1 } else { high = middle }
        }
        entries.insert(Entry(due: due, id: lastID, body: body), at: low)
        return lastID
    }

    mutating func remove(_ id: ID) {
        if let place = entries.lastIndex(where: { $0.id == id }) { entries.remove(at: place) }
    }

    mutating func popDue(at now: Int64) -> (() -> Void)? {
        guard let next = entries.last, next.due <= now else { return nil }
        entries.removeLast()
        return next.body
    }
}
