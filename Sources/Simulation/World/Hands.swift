import StepwellEngine
import StepwellModel

/// A report of a worker on its way to the engine.
struct Report {
    enum Content {
        case end(AttemptOutcome)
        case checkpoint
        case logLine
    }

    let task: TaskID
    let attempt: AttemptID
    let content: Content
    /// The life of the engine that started the attempt.
    let life: Int
    /// Reported although the worker has no right to.
    var isStray = false
}

/// What workers have in hand.
struct Hands {
    struct Hand {
        let assignment: Assignment
        let life: Int
        var repeats: Bool
    }

    private var hands: [Lease: Hand] = [:]
    /// In the order in which they came; some may have gone.
    private var leases: [Lease] = []
    /// How often each step has been started.
    private var runs: [Step: Int] = [:]

    private struct Step: Hashable {
        var task: TaskID
        var step: StepIndex
    }

    subscript(lease: Lease) -> Hand? { hands[lease] }

    /// Takes an attempt and says how often its step was started before.
    mutating func take(_ hand: Hand) -> Int {
        let attempt = hand.assignment.attempt
        hands[attempt.lease] = hand
        leases.append(attempt.lease)
        let step = Step(task: hand.assignment.task, step: attempt.step)
        runs[step, default: 0] += 1
        return (runs[step] ?? 1) - 1
    }

    mutating func drop(_ lease: Lease) { hands[lease] = nil }

    mutating func drop(of worker: WorkerID, life: Int) {
        for lease in leases where hands[lease]?.assignment.attempt.worker == worker && hands[lease]?.life == life {
            hands[lease] = nil
        }
    }

    /// Those that are held, the oldest first.
    var held: [Hand] { leases.compactMap { hands[$0] } }
}
