import StepwellEngine
import StepwellModel
import Synchronization

/// A runner that runs nothing: it remembers what it was asked, and the test says what comes of it.
final class ScriptedRunner: AttemptRunner {
    private struct State {
        var assignments: [Assignment] = []
        var stops: [String] = []
        var rejections: [String] = []
        var drainCount = 0
    }

    private let state = Mutex(State())

    func run(_ assignment: Assignment) { state.withLock { $0.assignments.append(assignment) } }

    func stop(_ lease: Lease, because reason: StopReason) {
        state.withLock { $0.stops.append("\(lease): \(reason.rawValue)") }
    }

    func rejected(_ lease: Lease, because reason: RejectedResult.Reason) {
        state.withLock { $0.rejections.append("\(lease): \(reason.name)") }
    }

    func drain() { state.withLock { $0.drainCount += 1 } }

    var assignments: [Assignment] { state.withLock { $0.assignments } }
    var stops: [String] { state.withLock { $0.stops } }
    var rejections: [String] { state.withLock { $0.rejections } }
    var drainCount: Int { state.withLock { $0.drainCount } }
}
