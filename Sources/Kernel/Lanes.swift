import StepwellModel

/// Where enqueued steps wait: a lane for each handler in each namespace, and the workers that serve it.
struct Lanes: Sendable {
    /// A step that waits. The greater priority goes first, then the one that was enqueued earlier.
    struct Waiting: Comparable, Hashable, Sendable {
        let priority: Int
        /// The `step.enqueued` event.
        let number: SequenceNumber
        let slot: Int
        let step: StepIndex

        static func < (left: Waiting, right: Waiting) -> Bool {
            left.priority == right.priority ? left.number < right.number : left.priority > right.priority
        }
    }

    struct Worker: Sendable {
        let join: WorkerJoin
        var busy = 0

        var isFree: Bool { busy < join.slots }
    }

    /// What names a lane.
    struct Place: Hashable, Sendable {
        let namespace: String
        let handler: String
    }

    /// A namespace, and the last start of an attempt of its steps since the engine has started.
    struct Turn: Sendable {
        let namespace: String
        var lastStart = SequenceNumber.zero
    }

    struct Lane: Sendable {
        let place: Place
        /// The place of its namespace among the turns.
        let turn: Int
        var queue = Heap<Waiting>()
        /// Steps that really wait here; the heap may hold some that no longer do.
        var count = 0
        /// Attempts of its steps that workers hold.
        var running = 0
        /// The last of them to start since the engine has.
        var lastStart = SequenceNumber.zero
        /// The limits that hold for it, by their places.
        var namespaceLimit: Int?
        var handlerLimit: Int?
    }

    var lanes: ContiguousArray<Lane> = []
    private var indexes: [Place: Int] = [:]
    private(set) var turns: ContiguousArray<Turn> = []
    var limits = LimitTable()
    /// For each limit of a handler the lanes that share it.
    var groups: ContiguousArray<ContiguousArray<Int>> = []
    var groupOfHandler: [String: Int] = [:]
    /// The lanes without such a limit.
    var loners: ContiguousArray<Int> = []
    /// Whether namespaces take turns: see ``EngineStart/rules``.
    var isFair = true
    /// In the order of their ids.
    private(set) var workers: ContiguousArray<Worker> = []
    /// For each worker the lanes that it serves, by the lane's index.
    private var serves: ContiguousArray<ContiguousArray<Bool>> = []
    private(set) var waitingCount = 0
    private(set) var freeCount = 0

    /// Steps with a command wait in the lane of this name, which no handler can have.
    static let commandHandler = ""

    // MARK: Lanes

    mutating func index(of handler: String, in namespace: String) -> Int {
        let lane = Place(namespace: namespace, handler: handler)
        if let known = indexes[lane] { return known }
        let index = lanes.count
        let turn = turns.firstIndex { $0.namespace == namespace } ?? turns.count
        if turn == turns.count { turns.append(Turn(namespace: namespace)) }
        lanes.append(Lane(place: lane, turn: turn))
        indexes[lane] = index
        bindLimits(of: index)
        for place in workers.indices { serves[place].append(Self.serves(workers[place].join, lane)) }
        return index
    }

    /// An attempt of a step that waited there has started: other namespaces are first now.
    mutating func started(_ lane: Int, _ number: SequenceNumber, at time: Timestamp) {
        turns[lanes[lane].turn].lastStart = number
        lanes[lane].lastStart = number
        lanes[lane].running += 1
        if let limit = lanes[lane].namespaceLimit { limits.start(limit, at: time) }
        if let limit = lanes[lane].handlerLimit { limits.start(limit, at: time) }
    }

    /// A worker holds an attempt of such a step, as a snapshot tells.
    mutating func holds(_ lane: Int) { lanes[lane].running += 1 }

    /// A worker holds it no more.
    mutating func ended(_ lane: Int) {
        lanes[lane].running -= 1
        if let limit = lanes[lane].namespaceLimit { limits[limit].running -= 1 }
        if let limit = lanes[lane].handlerLimit { limits[limit].running -= 1 }
    }

    /// The last start of each namespace of which anything has started, in the order of their names.
    var lastStarts: [StateContent.LastStart] {
        turns.filter { $0.lastStart != .zero }.map { .init(namespace: $0.namespace, number: $0.lastStart) }
            .sorted { $0.namespace < $1.namespace }
    }

    mutating func push(_ waiting: Waiting, into lane: Int, isCurrent: (Waiting) -> Bool) {
        lanes[lane].queue.push(waiting, isCurrent: isCurrent)
        lanes[lane].count += 1
        waitingCount += 1
    }

    /// A step that waited there waits no more; its entry is dropped when it comes up.
    mutating func left(_ lane: Int) {
        lanes[lane].count -= 1
        waitingCount -= 1
    }

    /// Drops entries, whose steps have left already.
    mutating func remove(from lane: Int, where isGone: (Waiting) -> Bool) { lanes[lane].queue.removeAll(where: isGone) }

    // MARK: Workers

    mutating func join(_ join: WorkerJoin) {
        let place = bound(join.worker)
        workers.insert(Worker(join: join), at: place)
        serves.insert(ContiguousArray(lanes.map { Self.serves(join, $0.place) }), at: place)
        freeCount += join.slots
    }

    mutating func leave(_ worker: WorkerID) {
        guard let place = place(of: worker) else { return }
        freeCount -= workers[place].join.slots - workers[place].busy
        workers.remove(at: place)
        serves.remove(at: place)
    }

    /// No worker, nobody waits, and nothing has started.
    mutating func clear() {
        workers.removeAll()
        serves.removeAll()
        freeCount = 0
        waitingCount = 0
        for turn in turns.indices { turns[turn].lastStart = .zero }
        for lane in lanes.indices {
            lanes[lane].queue = Heap()
            lanes[lane].count = 0
            lanes[lane].lastStart = .zero
        }
    }

    mutating func occupy(_ worker: WorkerID) {
        guard let place = place(of: worker) else { return }
        workers[place].busy += 1
        freeCount -= 1
    }

    mutating func release(_ worker: WorkerID) {
        guard let place = place(of: worker) else { return }
        workers[place].busy -= 1
        freeCount += 1
    }

    func worker(_ id: WorkerID) -> WorkerJoin? {
        place(of: id).map { workers[$0].join }
    }

    /// The workers that run what waits in a lane, free or not.
    func workers(serving lane: Int) -> [Worker] {
        workers.indices.filter { serves[$0][lane] }.map { workers[$0] }
    }

    /// All steps that wait, in the order in which those of one namespace go as long as every worker serves them all.
    func waiting(isCurrent: (Waiting) -> Bool) -> [Waiting] {
        lanes.flatMap { $0.queue.sorted(where: isCurrent) }.sorted()
    }

    // MARK: Matching

    /// A lane's first step, with a free worker for it.
    private struct Candidate {
        let waiting: Waiting
        let lane: Int
        let worker: Int
        /// What it goes by before priority and age.
        var lastStart: SequenceNumber

        func isBefore(_ other: Candidate) -> Bool {
            lastStart == other.lastStart ? waiting < other.waiting : lastStart < other.lastStart
        }
    }

    /// The step that goes next, and the worker that runs it: of all steps for which some worker is free and that no limit holds,
    /// those of the namespace of which nothing has started for the longest time; of them the first by priority and age; of its
    /// free workers, the least busy. Nil when nothing fits.
    ///
    /// What a handler's limit lets start goes to the namespaces in turn too: of those that share it, only the one is a candidate
    /// of which that handler has not started for the longest time. Else one with much other work would never get any of it.
    mutating func nextMatch(
        at time: Timestamp, isCurrent: (Waiting) -> Bool
    ) -> (waiting: Waiting, worker: WorkerID, kind: WorkerJoin.Kind)? {
        guard waitingCount > 0, freeCount > 0 else { return nil }
        var best: Candidate?
        for lane in loners where lanes[lane].count > 0 {
            guard let found = candidate(in: lane, at: time, isCurrent) else { continue }
            if best.map({ found.isBefore($0) }) ?? true { best = found }
        }
        for group in groups {
            var first: Candidate?
            for lane in group where lanes[lane].count > 0 {
                guard var found = candidate(in: lane, at: time, isCurrent) else { continue }
                found.lastStart = isFair ? lanes[lane].lastStart : .zero
                if first.map({ found.isBefore($0) }) ?? true { first = found }
            }
            guard var found = first else { continue }
            found.lastStart = isFair ? turns[lanes[found.lane].turn].lastStart : .zero
            if best.map({ found.isBefore($0) }) ?? true { best = found }
        }
        return best.map { ($0.waiting, workers[$0.worker].join.worker, workers[$0.worker].join.kind) }
    }

    private mutating func candidate(
        in lane: Int, at time: Timestamp, _ isCurrent: (Waiting) -> Bool
    ) -> Candidate? {
        guard let worker = leastBusy(serving: lane), !isHeld(lane, at: time) else { return nil }
        while let top = lanes[lane].queue.top, !isCurrent(top) { lanes[lane].queue.popTop() }
        guard let top = lanes[lane].queue.top else { return nil }
        return Candidate(
            waiting: top, lane: lane, worker: worker, lastStart: isFair ? turns[lanes[lane].turn].lastStart : .zero)
    }

    func leastBusy(serving lane: Int) -> Int? {
        var best: Int?
        for place in workers.indices where workers[place].isFree && serves[place][lane] {
            if best.map({ workers[place].busy < workers[$0].busy }) ?? true { best = place }
        }
        return best
    }

    private func place(of worker: WorkerID) -> Int? {
        let place = bound(worker)
        return place < workers.count && workers[place].join.worker == worker ? place : nil
    }

    /// The place of the first worker whose id is not less.
    private func bound(_ worker: WorkerID) -> Int {
        var (low, high) = (0, workers.count)
        while low < high {
            let middle = (low + high) / 2
            if workers[middle].join.worker < worker { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func serves(_ join: WorkerJoin, _ lane: Place) -> Bool {
        guard join.mayServe(lane.namespace) else { return false }
        return join.kind == .command
            ? lane.handler == commandHandler : join.handlers.contains { $0.name == lane.handler }
    }
}

extension WorkerJoin {
    /// Whether the worker runs steps of templates in the namespace.
    func mayServe(_ namespace: String) -> Bool { namespaces.isEmpty || namespaces.contains(namespace) }
}
