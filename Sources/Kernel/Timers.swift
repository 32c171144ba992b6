import StepwellModel

/// Deadlines in order: when a retry is due, when an attempt has run too long.
struct Timers: Sendable {
    struct Timer: Comparable, Hashable, Sendable {
        let due: Timestamp
        /// The event that armed it; if the step has moved on since, the timer means nothing.
        let number: SequenceNumber
        let slot: Int
        let step: StepIndex

        static func < (left: Timer, right: Timer) -> Bool {
            left.due == right.due ? left.number < right.number : left.due < right.due
        }
    }

    private var heap = Heap<Timer>()

    mutating func arm(_ timer: Timer, isCurrent: (Timer) -> Bool) {
        heap.push(timer, isCurrent: isCurrent)
    }

    /// The earliest timer that still means something.
    mutating func next(isCurrent: (Timer) -> Bool) -> Timer? {
        while let top = heap.top {
            if isCurrent(top) { return top }
            heap.popTop()
        }
        return nil
    }

    /// All that still mean something, the earliest first.
    func armed(isCurrent: (Timer) -> Bool) -> [Timer] { heap.sorted(where: isCurrent) }
}
