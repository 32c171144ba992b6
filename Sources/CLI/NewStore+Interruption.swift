import Glibc
import StepwellLog

extension NewStore {
    /// Has an interruption leave nothing of it behind.
    /// - Parameter name: what it would have become.
    func abandonWhenInterrupted(_ name: String) {
        Signals.watch {
            abandon()
            note("\ninterrupted; nothing is left of \(name)")
            _exit(ExitCode.interrupted.rawValue)
        }
    }
}
