import Dispatch
import StepwellModel
import Synchronization

/// What waits to be delivered.
final class Outbox: Sendable {
    struct Letter: Sendable {
        var bytes: [UInt8]
        var lease: Lease?
        /// Which session of the worker the attempt began in.
        var session = 0
        /// It ends its attempt: the place is free when it is delivered.
        var ends = false
    }

    /// How many messages one delivery may hold, and how many bytes before it is closed.
    private static let lettersMax = 1000
    private static let bytesMax = 8 << 20

    private struct State {
        var letters: [Letter] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let bell = Bell()

    func put(_ letter: Letter) {
        state.withLock { $0.letters.append(letter) }
        bell.ring()
    }

    /// How many messages wait.
    var count: Int { state.withLock { $0.letters.count } }

    /// Nothing follows what is in it.
    func close() {
        state.withLock { $0.isClosed = true }
        bell.ring()
    }

    /// All that waits, as far as one delivery takes it. Nil at the end.
    func take() -> [Letter]? {
        while true {
            let (batch, isOver) = state.withLock { state -> ([Letter], Bool) in
                var bytes = 0
                let count =
                    state.letters.prefix(Self.lettersMax).prefix { letter in
                        defer { bytes += letter.bytes.count }
                        return bytes < Self.bytesMax
                    }.count
                let batch = Array(state.letters.prefix(count))
                state.letters.removeFirst(count)
                return (batch, state.isClosed && batch.isEmpty)
            }
            if isOver { return nil }
            if !batch.isEmpty { return batch }
            bell.wait(nil)
        }
    }
}

/// Wakes one thread; rung often before it listens, it wakes it once.
final class Bell: Sendable {
    private let isRung = Mutex(false)
    private let semaphore = DispatchSemaphore(value: 0)

    func ring() {
        isRung.withLock { isRung in
            if !isRung { semaphore.signal() }
            isRung = true
        }
    }

    /// Returns when it is rung, or after that time.
    func wait(_ limit: Duration?) {
        let end = limit.map { DispatchTime.now() + .milliseconds(Int($0 / .milliseconds(1))) } ?? .distantFuture
        if semaphore.wait(timeout: end) == .success { isRung.withLock { $0 = false } }
    }
}
