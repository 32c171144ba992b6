import Stepwell
import Synchronization

/// What an engine tells of itself.
final class Happenings: Sendable {
    private struct State {
        var events: [EventRecord] = []
        var listeners: [AsyncStream<EventRecord>.Continuation] = []
        var progress: [JSONText?] = []
    }

    private let state = Mutex(State())

    var observers: Observers {
        var observers = Observers()
        observers.events = { events in
            self.state.withLock { state in
                state.events += events
                for listener in state.listeners { for event in events { listener.yield(event) } }
            }
        }
        observers.heartbeat = { _, progress in self.state.withLock { $0.progress.append(progress) } }
        return observers
    }

    /// The n-th event of a kind, among those that were and those that come.
    func event(_ number: Int = 1, _ isMeant: (Event) -> Bool) async throws -> EventRecord {
        let (events, listener) = AsyncStream.makeStream(of: EventRecord.self)
        state.withLock { state in
            for event in state.events { listener.yield(event) }
            state.listeners.append(listener)
        }
        var count = 0
        for await record in events where isMeant(record.event) {
            count += 1
            if count == number { return record }
        }
        throw CancellationError()
    }

    /// How many events of a kind there were.
    func count(_ isMeant: (Event) -> Bool) -> Int {
        state.withLock { state in state.events.count { isMeant($0.event) } }
    }

    /// How often the attempts of a step were started.
    func starts(of step: StepIndex) -> Int {
        count { if case .attemptStarted(let start) = $0 { start.step == step } else { false } }
    }

    var progress: [JSONText?] { state.withLock { $0.progress } }
}
