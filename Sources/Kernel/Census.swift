import StepwellModel

/// How many tasks and steps are where, kept up as they move: whoever wants to know need not go through all of them.
struct Census: Sendable {
    /// An enqueued step.
    struct Waiting: Sendable {
        /// The event that has enqueued it.
        let number: SequenceNumber
        let slot: Int
        let step: StepIndex
    }

    /// The enqueued steps of a lane, the oldest first, also those that may not start now. What has left stays in its place until it
    /// is at the head or the greater part.
    private struct Line: Sendable {
        var entries: ContiguousArray<Waiting> = []
        var head = 0

        var oldest: Waiting? { head < entries.count ? entries[head] : nil }

        /// Numbers grow; only recovery, task by task, brings them out of order.
        mutating func add(_ entry: Waiting) {
            guard let last = entries.last, head < entries.count, last.number > entry.number else {
                return entries.append(entry)
            }
            var (low, high) = (head, entries.count)
            while low < high {
                let middle = (low + high) / 2
                if entries[middle].number < entry.number { low = middle + 1 } else { high = middle }
            }
            entries.insert(entry, at: low)
        }

        /// Drops what has left, so that the head is one that waits.
        /// - Parameter count: how many wait.
        mutating func settle(_ count: Int, _ isCurrent: (Waiting) -> Bool) {
            while head < entries.count, !isCurrent(entries[head]) { head += 1 }
            if head == entries.count {
                entries.removeAll(keepingCapacity: true)
                head = 0
            } else if entries.count > 2 * count + 64 {
                entries.removeAll { !isCurrent($0) }
                head = 0
            }
        }
    }

    private static let states = StepState.allCases.count

    private var tasks = ContiguousArray<Int>(repeating: 0, count: TaskState.allCases.count)
    /// For each lane a number for each state.
    private var steps: ContiguousArray<Int> = []
    private var lines: ContiguousArray<Line> = []

    // MARK: Moves

    mutating func come(_ task: TaskRecord) {
        tasks[Int(task.state.rawValue)] += 1
        for (step, lane) in zip(task.steps, task.route.lanes) { count(Int(lane), step.state, 1) }
    }

    mutating func leave(_ task: TaskRecord) {
        tasks[Int(task.state.rawValue)] -= 1
        for (step, lane) in zip(task.steps, task.route.lanes) { count(Int(lane), step.state, -1) }
    }

    mutating func moveTask(from state: TaskState, to next: TaskState) {
        tasks[Int(state.rawValue)] -= 1
        tasks[Int(next.rawValue)] += 1
    }

    mutating func moveStep(in lane: Int, from state: StepState, to next: StepState) {
        count(lane, state, -1)
        count(lane, next, 1)
    }

    private mutating func count(_ lane: Int, _ state: StepState, _ change: Int) {
        while lines.count <= lane {
            lines.append(Line())
            steps.append(contentsOf: repeatElement(0, count: Self.states))
        }
        steps[lane * Self.states + Int(state.rawValue)] += change
    }

    mutating func enqueue(_ waiting: Waiting, in lane: Int) { lines[lane].add(waiting) }

    /// A step has left the lane.
    mutating func settle(_ lane: Int, isCurrent: (Waiting) -> Bool) {
        lines[lane].settle(count(of: .enqueued, in: lane), isCurrent)
    }

    // MARK: Counts

    func count(of state: TaskState) -> Int { tasks[Int(state.rawValue)] }

    func count(of state: StepState, in lane: Int) -> Int {
        lane < lines.count ? steps[lane * Self.states + Int(state.rawValue)] : 0
    }

    func oldest(in lane: Int) -> SequenceNumber? { lane < lines.count ? lines[lane].oldest?.number : nil }
}
