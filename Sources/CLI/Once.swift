import Synchronization

/// A value that comes once, from any thread; what comes after is ignored.
final class Once<Value: Sendable>: Sendable {
    private enum State {
        case waiting([@Sendable (Value) -> Void])
        case fired(Value)
    }

    private let state = Mutex(State.waiting([]))

    func fire(_ value: Value) {
        let calls: [@Sendable (Value) -> Void] = state.withLock { state in
            guard case .waiting(let calls) = state else { return [] }
            state = .fired(value)
            return calls
        }
        for call in calls { call(value) }
    }

    /// Calls when the value comes; at once if it is there.
    func then(_ call: @escaping @Sendable (Value) -> Void) {
        let value: Value? = state.withLock { state in
            switch state {
            case .fired(let value): return value
            case .waiting(let calls):
                state = .waiting(calls + [call])
                return nil
            }
        }
        if let value { call(value) }
    }

    var hasFired: Bool { present != nil }

    /// The value, if it is there.
    var present: Value? {
        state.withLock { state in
            if case .fired(let value) = state { value } else { nil }
        }
    }

    var value: Value {
        get async {
            await withCheckedContinuation { continuation in then { continuation.resume(returning: $0) } }
        }
    }
}
