import StepwellEngine
import StepwellKernel
import StepwellLog
import StepwellModel

/// What leaves the engine, in the order in which it leaves. One for each life of the engine.
final class Outbox: @unchecked Sendable {  // The simulation has one thread.
    struct Stop {
        let lease: Lease
        let reason: StopReason
    }

    private(set) var records: [EventRecord] = []
    private(set) var answers: [(command: Int, error: EngineError?)] = []
    private(set) var deliveries: [Assignment] = []
    private(set) var stops: [Stop] = []
    /// Who waited for the end of a task, and what they were told.
    private(set) var settled: [(task: TaskID, state: TaskState?)] = []
    /// The tasks for whose end somebody has begun to wait.
    private(set) var registered: [TaskID] = []
    private(set) var content: StateContent?
    /// Something left that may not leave yet.
    private(set) var fault: String?

    func observe(_ records: [EventRecord]) { self.records += records }
    func answer(_ command: Int, _ error: EngineError?) { answers.append((command, error)) }
    func stop(_ lease: Lease, _ reason: StopReason) { stops.append(Stop(lease: lease, reason: reason)) }
    func register(_ task: TaskID) { registered.append(task) }
    func settle(_ task: TaskID, _ state: TaskState?) { settled.append((task, state)) }
    func see(_ content: StateContent) { self.content = content }

    /// An attempt is handed to a worker: no failure may take away any more that it was started.
    func deliver(_ assignment: Assignment) {
        let lease = assignment.attempt.lease
        if let log = assignment.log as? SimulatedLog, log.keptNumber < lease {
            fault = "the attempt \(lease) is delivered before its start is on the disk"
        }
        deliveries.append(assignment)
    }

    func clear() {
        records.removeAll(keepingCapacity: true)
        answers.removeAll(keepingCapacity: true)
        deliveries.removeAll(keepingCapacity: true)
        stops.removeAll(keepingCapacity: true)
        settled.removeAll(keepingCapacity: true)
        registered.removeAll(keepingCapacity: true)
        content = nil
    }
}

/// The engine's end of a simulated worker.
final class SimulatedRunner: AttemptRunner {
    private let outbox: Outbox

    init(_ outbox: Outbox) { self.outbox = outbox }

    func run(_ assignment: Assignment) { outbox.deliver(assignment) }
    func stop(_ lease: Lease, because reason: StopReason) { outbox.stop(lease, reason) }
    // It has forgotten what it reported, and takes what it is given.
    func rejected(_ lease: Lease, because reason: RejectedResult.Reason) {}
    func drain() {}
}
