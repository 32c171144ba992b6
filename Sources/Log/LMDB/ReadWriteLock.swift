import Glibc

/// Many may read at the same time, or one may write. A waiting writer goes first, so that readers that come and go without a
/// pause cannot keep it out; for the same reason a reader must not take the lock twice.
final class ReadWriteLock: @unchecked Sendable {
    // Unchecked: the pointer never changes, and what it points to is made for use by many threads.
    private let lock = UnsafeMutablePointer<pthread_rwlock_t>.allocate(capacity: 1)

    init() {
        var attributes = pthread_rwlockattr_t()
        pthread_rwlockattr_init(&attributes)
        pthread_rwlockattr_setkind_np(&attributes, Int32(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP))
        pthread_rwlock_init(lock, &attributes)
        pthread_rwlockattr_destroy(&attributes)
    }

    deinit {
        pthread_rwlock_destroy(lock)
        lock.deallocate()
    }

    func lockReading() { pthread_rwlock_rdlock(lock) }
    func lockWriting() { pthread_rwlock_wrlock(lock) }
    func unlock() { pthread_rwlock_unlock(lock) }
}
