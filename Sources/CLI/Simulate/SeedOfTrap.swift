import Glibc
import Synchronization

/// Tells the seed when the kernel's own checks end the process: a trap leaves no other trace.
enum SeedOfTrap {
    private static let present = Atomic<UInt64>(0)

    static func enter(_ seed: UInt64) { present.store(seed, ordering: .relaxed) }

    static func watch() {
        for number in [SIGILL, SIGTRAP] {
            signal(number) { _ in
                // Only what a signal's handler may do: no text is made here but digits.
                SeedOfTrap.say("seed ")
                SeedOfTrap.say(SeedOfTrap.present.load(ordering: .relaxed))
                SeedOfTrap.say(" breaks the invariant 'trap'\nthe engine's own check has ended it\n")
                _exit(ExitCode.violation.rawValue)
            }
        }
    }

    private static func say(_ text: StaticString) { _ = write(STDOUT_FILENO, text.utf8Start, text.utf8CodeUnitCount) }

    private static func say(_ number: UInt64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var (rest, start) = (number, 20)
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            _ = write(STDOUT_FILENO, digits.baseAddress! + start, 20 - start)
        }
    }
}
