import Glibc
import Synchronization

extension Worker {
    /// Drains at SIGTERM and SIGINT; a second signal ends the process. To be called once.
    ///
    /// In a process that the engine has started, SIGINT is the engine's own affair: a terminal sends it to both.
    public func drainAtSignals() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return complain("signals cannot be watched: errno \(errno)") }
        signalPipe.store(ends[1], ordering: .relaxed)
        // The thread that serves the main queue takes signals whatever is blocked: only a handler sees them all.
        for number in [SIGTERM, SIGINT] {
            signal(number) { number in
                var byte = UInt8(truncatingIfNeeded: number)
                write(signalPipe.load(ordering: .relaxed), &byte, 1)
            }
        }
        let (source, isLed) = (ends[0], isStartedByEngine)
        onOwnThread { [self] in
            var hasDrained = false
            while true {
                var byte: UInt8 = 0
                guard read(source, &byte, 1) == 1, !isLed || Int32(byte) == SIGTERM else { continue }
                if hasDrained { _exit(128 + Int32(byte)) }
                hasDrained = true
                drain()
            }
        }
    }
}

/// Where a signal is told.
private let signalPipe = Atomic<Int32>(-1)
