import Glibc
package import StepwellEngine
import StepwellModel
import Synchronization

/// Says that the service lives for as long as the engine's thread turns. A thread that is stuck, in a commit that never ends for
/// instance, is heard of no more, and the service's manager starts the process anew; the log is made for that.
package final class Watchdog: Sendable {
    private let engine: EngineCore
    private let half: Int64
    private let tell: @Sendable () -> Void
    private let isEnded = Atomic(false)

    /// - Parameters:
    ///   - interval: within which the manager wants to hear, in microseconds; it hears twice as often.
    ///   - tell: called on a thread of its own.
    package init(_ engine: EngineCore, interval: Int64, tell: @escaping @Sendable () -> Void) {
        self.engine = engine
        self.tell = tell
        half = max(1000, interval / 2)
    }

    package func start() {
        onThread { [self] in
            while !isEnded.load(ordering: .relaxed) {
                guard waitForTurn() else { return }
                tell()
                usleep(UInt32(clamping: half))
            }
        }
    }

    package func end() { isEnded.store(true, ordering: .relaxed) }

    /// Waits until the engine's thread begins a turn that it had not begun before: so long as it does not, nothing is told, and as
    /// soon as it does, it is told at once. A full disk is no standstill: the thread tries again and again.
    private func waitForTurn() -> Bool {
        let before = engine.turnCount
        engine.wake()
        while engine.turnCount == before {
            if isEnded.load(ordering: .relaxed) { return false }
            usleep(UInt32(clamping: max(500, min(half / 20, 50_000))))
        }
        return true
    }
}
