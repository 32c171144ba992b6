import Glibc
import StepwellModel

/// Wakes one thread that waits. A ring that comes while nobody waits ends the next wait.
final class Bell: @unchecked Sendable {  // Every member is touched under `lock` only.
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let rung: UnsafeMutablePointer<pthread_cond_t>
    private var hasRung = false

    init() {
        lock = .allocate(capacity: 1)
        rung = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(rung, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(rung)
        pthread_mutex_destroy(lock)
        rung.deallocate()
        lock.deallocate()
    }

    func ring() {
        pthread_mutex_lock(lock)
        hasRung = true
        pthread_cond_signal(rung)
        pthread_mutex_unlock(lock)
    }

    /// Waits for a ring, at most so long (nil: for ever).
    func wait(_ limit: Milliseconds?) {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        if let limit {
            var end = timespec()
            clock_gettime(CLOCK_MONOTONIC, &end)
            let nanoseconds = Int64(end.tv_nsec) + max(0, limit.rawValue) % 1000 * 1_000_000
            end.tv_sec += Int(max(0, limit.rawValue) / 1000 + nanoseconds / 1_000_000_000)
            end.tv_nsec = Int(nanoseconds % 1_000_000_000)
            while !hasRung, pthread_cond_timedwait(rung, lock, &end) != ETIMEDOUT {}
        } else {
            while !hasRung { pthread_cond_wait(rung, lock) }
        }
        hasRung = false
    }
}
