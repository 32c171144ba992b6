/// A binary heap with the least element on top. Entries are not removed when they lose their meaning; whoever takes one asks
/// whether it still holds. So that the meaningless do not pile up, they are swept out whenever the heap has doubled.
struct Heap<Element: Comparable & Sendable>: Sendable {
    private var elements: ContiguousArray<Element> = []
    /// The next sweep comes when the heap is this long: its cost is spread over at least half as many pushes.
    private var sweepCount = Self.sweepCountMin

    private static var sweepCountMin: Int { 1024 }

    var top: Element? { elements.first }
    var count: Int { elements.count }

    /// All that still hold, the least first.
    func sorted(where isCurrent: (Element) -> Bool) -> [Element] {
        elements.filter(isCurrent).sorted()
    }

    mutating func push(_ element: Element, isCurrent: (Element) -> Bool) {
        if elements.count >= sweepCount { sweep(isCurrent) }
        elements.append(element)
        var child = elements.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard elements[child] < elements[parent] else { return }
            elements.swapAt(child, parent)
            child = parent
        }
    }

    mutating func popTop() {
        guard let last = elements.popLast(), !elements.isEmpty else { return }
        elements[0] = last
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < elements.count else { return }
            let right = left + 1
            let child = right < elements.count && elements[right] < elements[left] ? right : left
            guard elements[child] < elements[parent] else { return }
            elements.swapAt(child, parent)
            parent = child
        }
    }

    mutating func removeAll(where isGone: (Element) -> Bool) {
        elements.removeAll(where: isGone)
        // What is sorted is a heap.
        elements.sort()
    }

    private mutating func sweep(_ isCurrent: (Element) -> Bool) {
        removeAll { !isCurrent($0) }
        sweepCount = max(Self.sweepCountMin, 2 * elements.count)
    }
}
