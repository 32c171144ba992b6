import Glibc
import StepwellEngine
import StepwellKernel
import StepwellLog
import StepwellModel
import Synchronization

/// What a runner told its host.
enum Happening: Sendable {
    case joined(WorkerJoin)
    case left(WorkerID, String)
    case finished(Lease, AttemptOutcome)
    case checkpointed(Lease, JSONText)
    case logged(Lease, LogLine.Level, String)
    case heartbeat(Lease, JSONText?)
    case asked(String)
    case noticed(String)
}

/// The engine as a runner sees it. Remembers what it hears, in order, and lets a test wait for the next of a kind.
// `state` is guarded by the mutex; the condition belongs to it.
final class FakeHost: AttemptHost, @unchecked Sendable {
    struct TimedOut: Error, CustomStringConvertible {
        var description: String
    }

    private struct State {
        var happenings: [Happening] = []
        var runners: [WorkerID: any AttemptRunner] = [:]
        var lastWorker: UInt32 = 0
    }

    /// Long enough for a machine that is busy with other tests; a test that gets this far has failed.
    private static let patienceSeconds = 30

    let limits: Limits
    /// What ``result(of:for:done:)`` answers.
    let results: [String: Result<JSONText, FetchError>]
    let checkpointAnswer: Rejection?
    private var state = State()
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(
        limits: Limits = Limits(), results: [String: Result<JSONText, FetchError>] = [:],
        checkpointAnswer: Rejection? = nil
    ) {
        self.limits = limits
        self.results = results
        self.checkpointAnswer = checkpointAnswer
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
        condition.deallocate()
    }

    // MARK: AttemptHost

    func nextWorkerID() -> WorkerID {
        locked { state in
            state.lastWorker += 1
            return WorkerID(state.lastWorker)
        }
    }

    func join(_ join: WorkerJoin, runner: any AttemptRunner) {
        locked { $0.runners[join.worker] = runner }
        add(.joined(join))
    }

    func leave(_ worker: WorkerID, reason: String) { add(.left(worker, reason)) }
    func finish(_ assignment: Assignment, _ outcome: AttemptOutcome) {
        add(.finished(assignment.attempt.lease, outcome))
    }

    func checkpoint(_ assignment: Assignment, _ data: JSONText, done: @escaping @Sendable (Rejection?) -> Void) {
        add(.checkpointed(assignment.attempt.lease, data))
        done(checkpointAnswer)
    }

    func log(_ assignment: Assignment, _ level: LogLine.Level, _ text: String) {
        add(.logged(assignment.attempt.lease, level, text))
    }

    func heartbeat(_ assignment: Assignment, progress: JSONText?) {
        add(.heartbeat(assignment.attempt.lease, progress))
    }

    func result(
        of step: String, for assignment: Assignment, done: @escaping @Sendable (Result<JSONText, FetchError>) -> Void
    ) {
        add(.asked(step))
        done(results[step] ?? .failure(.notAnAncestor(step)))
    }

    func notice(_ text: String) { add(.noticed(text)) }

    // MARK: For tests

    var happenings: [Happening] { locked { $0.happenings } }

    func runner(_ worker: WorkerID) -> (any AttemptRunner)? { locked { $0.runners[worker] } }

    /// The first thing that has happened, or will, of which `pick` makes something.
    func first<Value>(_ what: String, _ pick: (Happening) -> Value?) throws -> Value {
        var end = timespec()
        clock_gettime(CLOCK_REALTIME, &end)
        end.tv_sec += Self.patienceSeconds
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        var seen = 0
        while true {
            while seen < state.happenings.count {
                if let value = pick(state.happenings[seen]) { return value }
                seen += 1
            }
            guard pthread_cond_timedwait(condition, mutex, &end) == 0 else {
                throw TimedOut(description: "waited in vain for \(what); what happened: \(state.happenings)")
            }
        }
    }

    /// The `count`th end of an attempt.
    func outcome(of lease: UInt64, _ count: Int = 1) throws -> AttemptOutcome {
        var left = count
        return try first("the end of attempt \(lease)") { happening in
            guard case .finished(Lease(lease), let outcome) = happening else { return nil }
            left -= 1
            return left == 0 ? outcome : nil
        }
    }

    func join(_ name: String) throws -> WorkerJoin {
        try first("\(name) to join") { happening in
            guard case .joined(let join) = happening, join.name == name else { return nil }
            return join
        }
    }

    func leaving(of worker: WorkerID) throws -> String {
        try first("\(worker) to leave") { happening in
            guard case .left(worker, let reason) = happening else { return nil }
            return reason
        }
    }

    func notice(with part: String) throws -> String {
        try first("a notice with '\(part)'") { happening in
            guard case .noticed(let text) = happening, text.contains(part) else { return nil }
            return text
        }
    }

    func logged(_ part: String) throws -> String {
        try first("a log line with '\(part)'") { happening in
            guard case .logged(_, _, let text) = happening, text.contains(part) else { return nil }
            return text
        }
    }

    private func add(_ happening: Happening) {
        locked { $0.happenings.append(happening) }
        pthread_cond_broadcast(condition)
    }

    private func locked<Value>(_ body: (inout State) -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&state)
    }
}

extension AttemptOutcome {
    var result: String? {
        if case .succeeded(let text, _) = self { text.description } else { nil }
    }

    var failure: Failure? {
        if case .failed(let failure) = self { failure } else { nil }
    }

    var isStopped: Bool {
        if case .stopped = self { true } else { false }
    }
}
