import StepwellModel
import Synchronization

/// Where workers come in. Closed, it keeps them back: the engine knows nobody then who could run anything, so it starts nothing,
/// while all else goes on. Nothing of this is in the log, which is the same as if the workers had come later.
final class Gate: Sendable {
    struct Arrival: Sendable {
        let join: WorkerJoin
        let runner: any AttemptRunner
    }

    private enum State {
        case open
        case closed([Arrival])
        /// For ever: the engine is being stopped.
        case locked
    }

    private let state: Mutex<State>

    init(isClosed: Bool) {
        state = Mutex(isClosed ? .closed([]) : .open)
    }

    /// Lets a worker in, or keeps it back.
    func pass(_ arrival: Arrival, _ enter: (Arrival) -> Void) {
        state.withLock { state in
            switch state {
            case .open: enter(arrival)
            case .closed(let waiting): state = .closed(waiting + [arrival])
            case .locked: break
            }
        }
    }

    /// Forgets a worker that has gone before it was let in.
    func leave(_ worker: WorkerID) {
        state.withLock { state in
            guard case .closed(let waiting) = state else { return }
            state = .closed(waiting.filter { $0.join.worker != worker })
        }
    }

    /// Lets in all that wait, in the order in which they came, before any that comes later.
    /// - Returns: whether it was closed.
    func open(_ enter: (Arrival) -> Void) -> Bool {
        state.withLock { state in
            guard case .closed(let waiting) = state else { return false }
            for arrival in waiting { enter(arrival) }
            state = .open
            return true
        }
    }

    /// Whoever waits is not let in any more.
    func lock() {
        state.withLock { state in
            if case .closed = state { state = .locked }
        }
    }

    /// How many wait; nil when nobody needs to.
    var waitingCount: Int? {
        state.withLock { state in
            if case .closed(let waiting) = state { waiting.count } else { nil }
        }
    }
}
