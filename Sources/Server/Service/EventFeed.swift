package import StepwellEngine
import StepwellLog
package import StepwellModel
import Synchronization

/// Tells of commits whoever waits for them: streams of events, and requests that wait for a task.
///
/// The engine's thread calls ``committed(_:)`` and is never held up. Streams are woken together and not more often than every
/// few milliseconds, so that a thousand of them cost the same at any speed of the log.
package final class EventFeed: Sendable {
    private struct State {
        var sleepers: [ObjectIdentifier: @Sendable () -> Void] = [:]
        var waiters: [TaskID: [(id: UInt64, call: @Sendable (TaskState) -> Void)]] = [:]
        var lastID: UInt64 = 0
        var isWaking = false
        var isStopped = false
        var beats = 0
    }

    private let state = Mutex(State())
    private let reactor: Reactor
    private static let pause = Milliseconds(5)
    /// A stream without events says so this often: a client that is gone is noticed by it.
    package static let beat = Milliseconds.seconds(15)

    package init(reactor: Reactor) {
        self.reactor = reactor
        reactor.perform { self.beatOn() }
    }

    package var isStopped: Bool { state.withLock { $0.isStopped } }

    /// How often it was time for streams to say something.
    var beats: Int { state.withLock { $0.beats } }

    /// Events that are on disk now.
    package func committed(_ records: [EventRecord]) {
        let (calls, wakes) = state.withLock { state -> ([(@Sendable () -> Void)], Bool) in
            var calls: [@Sendable () -> Void] = []
            if !state.waiters.isEmpty {
                for record in records {
                    guard let taskState = record.event.settles, let task = record.task,
                        let waiters = state.waiters.removeValue(forKey: task)
                    else { continue }
                    for waiter in waiters { calls.append { waiter.call(taskState) } }
                }
            }
            let wakes = !state.sleepers.isEmpty && !state.isWaking
            if wakes { state.isWaking = true }
            return (calls, wakes)
        }
        for call in calls { call() }
        if wakes { reactor.perform { self.reactor.after(Self.pause) { self.wake() } } }
    }

    private func beatOn() {
        reactor.after(Self.beat) { [weak self] in
            guard let self, !self.isStopped else { return }
            self.state.withLock { $0.beats += 1 }
            self.wake()
            self.beatOn()
        }
    }

    private func wake() {
        let sleepers = state.withLock { state in
            state.isWaking = false
            defer { state.sleepers = [:] }
            return Array(state.sleepers.values)
        }
        for call in sleepers { call() }
    }

    /// Ends all streams.
    package func stop() {
        state.withLock { $0.isStopped = true }
        wake()
    }

    // MARK: Streams

    /// Calls once at the next commit, or after a while.
    func whenNews(_ owner: AnyObject, _ call: @escaping @Sendable () -> Void) {
        state.withLock { $0.sleepers[ObjectIdentifier(owner)] = call }
    }

    func forget(_ owner: AnyObject) {
        _ = state.withLock { $0.sleepers.removeValue(forKey: ObjectIdentifier(owner)) }
    }

    // MARK: Waiting for a task

    /// Calls when an event settles the task; what has happened before is for the caller to look at after this.
    func whenSettled(_ task: TaskID, _ call: @escaping @Sendable (TaskState) -> Void) -> UInt64 {
        state.withLock { state in
            state.lastID += 1
            state.waiters[task, default: []].append((state.lastID, call))
            return state.lastID
        }
    }

    func forget(_ waiter: UInt64, of task: TaskID) {
        state.withLock { state in
            state.waiters[task]?.removeAll { $0.id == waiter }
            if state.waiters[task]?.isEmpty == true { state.waiters[task] = nil }
        }
    }
}

extension Event {
    /// The state in which the event leaves a task of which nothing more runs by itself.
    fileprivate var settles: TaskState? {
        switch self {
        case .taskCompleted: .complete
        case .taskCancelled: .cancelled
        case .taskBlocked: .blockedByFailures
        default: nil
        }
    }
}

extension TaskState {
    /// Nothing of the task runs before somebody does something.
    package var isSettled: Bool { isClosed || self == .blockedByFailures }
}
