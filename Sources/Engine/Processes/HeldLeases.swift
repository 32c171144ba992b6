import StepwellModel

/// The attempts that one worker was given: those that it runs, and for a while those that have ended, so that what comes late
/// or twice is recorded as such.
struct HeldLeases {
    struct Running {
        var assignment: Assignment
        /// Runs since the worker was told to stop the attempt.
        var stopTimer: TimerList.ID?
        var wasToldToStop = false
    }

    enum Holding {
        case running(Running)
        case ended(Assignment)
        case unknown
    }

    /// A worker that repeats itself does so soon; one that names a lease older than this many is broken.
    private static let endedMax = 1000

    private(set) var running: [Lease: Running] = [:]
    private var ended: [Lease: Assignment] = [:]
    /// The ended leases, oldest first from `oldest` on, in a ring.
    private var order: [Lease] = []
    private var oldest = 0

    subscript(lease: Lease) -> Holding {
        if let running = running[lease] { return .running(running) }
        if let assignment = ended[lease] { return .ended(assignment) }
        return .unknown
    }

    mutating func begin(_ assignment: Assignment) {
        running[assignment.attempt.lease] = Running(assignment: assignment)
    }

    mutating func toldToStop(_ lease: Lease, _ timer: TimerList.ID? = nil) {
        running[lease]?.wasToldToStop = true
        running[lease]?.stopTimer = timer
    }

    mutating func end(_ lease: Lease) {
        guard let run = running.removeValue(forKey: lease) else { return }
        ended[lease] = run.assignment
        if order.count < Self.endedMax {
            order.append(lease)
        } else {
            ended[order[oldest]] = nil
            order[oldest] = lease
            oldest = (oldest + 1) % Self.endedMax
        }
    }

    /// Forgets everything; the worker is gone.
    mutating func removeAll() {
        self = HeldLeases()
    }
}
