import Glibc
import StepwellEngine
import Synchronization

/// SIGINT and SIGTERM as calls: the first asks to stop in good order, the second stops at once.
///
/// The signals are blocked in all threads and taken by one that waits for nothing else; a handler could do next to nothing,
/// and a dispatch source loses a signal that comes while it is being set up.
enum Signals {
    /// - Parameter hangup: also SIGHUP, for whoever calls ``onHangup(_:)``.
    static func block(hangup: Bool) {
        var set = stopSignals()
        if hangup { sigaddset(&set, SIGHUP) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Calls `first` at the first signal. At the second the process ends; the log is made for that.
    /// - Parameter told: says so.
    static func watch(
        _ first: @escaping @Sendable () -> Void, told: @escaping @Sendable (String) -> Void = { note($0) }
    ) {
        onThread {
            var set = stopSignals()
            var number: Int32 = 0
            sigwait(&set, &number)
            first()
            sigwait(&set, &number)
            told("stopped at once; what was running will be run again")
            _exit(ExitCode.interrupted.rawValue)
        }
    }

    /// Calls at each SIGHUP; without this it ends the process, as it does any other.
    static func onHangup(_ call: @escaping @Sendable () -> Void) {
        onThread {
            var set = sigset_t()
            sigemptyset(&set)
            sigaddset(&set, SIGHUP)
            var number: Int32 = 0
            while true {
                sigwait(&set, &number)
                call()
            }
        }
    }

    private static func stopSignals() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGINT)
        sigaddset(&set, SIGTERM)
        return set
    }
}
