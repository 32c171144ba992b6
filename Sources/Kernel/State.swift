package import StepwellModel

/// The live world as one value: every task that is not closed, who waits for a worker, who runs, and what is due when.
///
/// It changes only by ``apply(_:)``, one event at a time, so that folding the log gives it back exactly.
package struct State: Sendable {
    /// The number and the time of the last event.
    package internal(set) var last: SequenceNumber = .zero
    package internal(set) var time: Timestamp = .zero

    /// The last start of the engine. What was held before it is lost.
    package internal(set) var started: SequenceNumber = .zero
    /// The engine is being stopped: what runs may end, nothing else begins.
    package internal(set) var isStopping = false

    /// The last registration of a template.
    package internal(set) var registered: SequenceNumber = .zero

    /// Tasks in slots; a slot is used again after its task has closed. Nothing depends on a slot's number.
    var tasks: ContiguousArray<TaskRecord> = []
    var vacant: ContiguousArray<Int> = []
    /// The slots of open tasks, and of those that have closed in the present turn.
    var slots: [TaskID: Int] = [:]
    /// For each identity key its newest task, as long as that is open.
    var keys: [IdentityKey: TaskID] = [:]
    var routes: [TemplateDigest: Route] = [:]

    var lanes = Lanes()
    var census = Census()
    var leases = Leases()
    var timers = Timers()
    /// The only task that this run of the engine works on, if it is for one alone.
    package internal(set) var focus: TaskID?

    package init() {}

    package var openTaskCount: Int { slots.count }

    /// An open task.
    package subscript(id: TaskID) -> TaskRecord? {
        slots[id].map { tasks[$0] }
    }

    /// The newest task with that key, if it is open.
    package func openTask(namespace: String, name: String, key: String) -> TaskID? {
        keys[IdentityKey(namespace: namespace, name: name, key: key)]
    }

    /// Open tasks, in the order of their ids.
    package var openTasks: [TaskRecord] {
        tasks.filter { !$0.isVacant }.sorted { $0.id < $1.id }
    }

    /// Whether some worker offers the handler to templates of the namespace, free or not.
    package func isServed(_ handler: HandlerTemplate, in namespace: String) -> Bool {
        lanes.workers.contains { worker in
            guard worker.join.mayServe(namespace) else { return false }
            return switch handler.target {
            case .command: worker.join.kind == .command
            case .callable(let name, _): worker.join.handlers.contains { $0.name == name }
            }
        }
    }

    /// The names of all handlers that some worker offers to templates of the namespaces, sorted.
    package func offeredHandlers(in namespaces: [String]) -> [String] {
        var names: [String] = []
        for worker in lanes.workers where namespaces.contains(where: worker.join.mayServe) {
            for handler in worker.join.handlers where !names.contains(handler.name) { names.append(handler.name) }
        }
        return names.sorted()
    }

    package func worker(_ id: WorkerID) -> WorkerJoin? { lanes.worker(id) }

    package var runningAttemptCount: Int { leases.count }
    /// What workers hold, in the order in which it was started; also what they have been told to stop and have not yet.
    package var runningAttempts: [(lease: Lease, worker: WorkerID)] { leases.held.map { ($0.lease, $0.worker) } }
    package var workerIDs: [WorkerID] { lanes.workers.map(\.join.worker) }

    // MARK: Templates

    package func plan(_ digest: TemplateDigest) -> Plan? { routes[digest]?.plan }

    /// Makes a template known. Templates are named by their content, so it does not matter when this happens; it must happen
    /// before the first event of a task with that template is applied.
    @discardableResult
    package mutating func adopt(_ plan: Plan) -> Route {
        if let known = routes[plan.digest] { return known }
        let handlers = plan.template.steps.map { step in
            switch step.handler.target {
            case .callable(let name, _): name
            case .command: Lanes.commandHandler
            }
        }
        let route = Route(plan: plan, lanes: handlers.map { Int32(lanes.index(of: $0, in: plan.template.namespace)) })
        routes[plan.digest] = route
        return route
    }

    // MARK: Slots

    mutating func insert(_ task: TaskRecord) -> Int {
        let slot = vacant.popLast() ?? tasks.count
        if slot == tasks.count { tasks.append(task) } else { tasks[slot] = task }
        slots[task.id] = slot
        census.come(task)
        if let key = task.key { claim(key, slot) }
        return slot
    }

    /// The newest task owns the key. Recovery brings tasks in the order of their ids, which is not quite that of their
    /// submissions.
    private mutating func claim(_ key: String, _ slot: Int) {
        let identity = IdentityKey(tasks[slot].plan.template, key: key)
        if let owner = keys[identity], let owned = slots[owner], tasks[owned].first > tasks[slot].first { return }
        keys[identity] = tasks[slot].id
    }

    /// Takes the key from a task, if it owns it.
    mutating func disown(_ slot: Int) {
        guard let key = tasks[slot].key else { return }
        let identity = IdentityKey(tasks[slot].plan.template, key: key)
        if keys[identity] == tasks[slot].id { keys[identity] = nil }
    }

    /// Forgets a task; what is left of it in queues and timers is dropped when it comes up.
    mutating func remove(_ slot: Int) {
        disown(slot)
        census.leave(tasks[slot])
        slots[tasks[slot].id] = nil
        tasks[slot].vacate()
        vacant.append(slot)
    }
}

extension ContiguousArray<TaskRecord> {
    /// Whether the step is still where the event of that number brought it. Its task may have closed since, and another one,
    /// perhaps with fewer steps, may have taken the slot.
    func stands(_ step: StepIndex, of slot: Int, since number: SequenceNumber) -> Bool {
        step < self[slot].steps.count && self[slot].steps[step].since == number
    }
}

/// What names a task besides its id.
struct IdentityKey: Hashable, Sendable {
    var namespace: String
    var name: String
    var key: String
}

extension IdentityKey {
    init(_ template: Template, key: String) {
        self.init(namespace: template.namespace, name: template.name, key: key)
    }
}
