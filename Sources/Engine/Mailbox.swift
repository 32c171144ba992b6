import Glibc
import StepwellModel

/// The one way in: letters wait here for the loop's next turn.
///
/// Clients' commands are bounded, so that a flood is refused instead of filling the memory. What workers report is bounded by
/// their slots and is never refused.
package final class Mailbox: @unchecked Sendable {  // Every member is touched under `lock` only.
    /// Commands that clients may have waiting, also those of a batch. At 100,000 a second this is less than a second's work. What
    /// comes while there is room is taken whole.
    package static let capacity = 65_536

    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let arrived: UnsafeMutablePointer<pthread_cond_t>
    private var letters: [Letter] = []
    /// Of all letters that wait.
    private var weight = 0
    private var refusal: EngineError?
    /// Why nothing is taken any more.
    private var closing: EngineError?
    private var isWoken = false

    package init() {
        lock = .allocate(capacity: 1)
        arrived = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(arrived, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(arrived)
        pthread_mutex_destroy(lock)
        arrived.deallocate()
        lock.deallocate()
    }

    /// Puts a letter in, or refuses it at once.
    package func post(_ letter: Letter) {
        pthread_mutex_lock(lock)
        var refused = closing
        if refused == nil, letter.isRefusable {
            refused = refusal ?? (weight >= Self.capacity ? .busy(waiting: weight) : nil)
        }
        if refused == nil {
            letters.append(letter)
            weight += letter.weight
            if letters.count == 1 { pthread_cond_signal(arrived) }
        }
        pthread_mutex_unlock(lock)
        if let refused { letter.refuse(refused) }
    }

    /// Takes all that waits; with nothing there, waits for a letter at most so long (nil: for ever).
    func take(waiting limit: Milliseconds?) -> [Letter] {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        let deadline = limit.map(Self.deadline)
        while letters.isEmpty, !isWoken {
            guard var deadline else {
                pthread_cond_wait(arrived, lock)
                continue
            }
            if pthread_cond_timedwait(arrived, lock, &deadline) == ETIMEDOUT { break }
        }
        isWoken = false
        var taken: [Letter] = []
        swap(&taken, &letters)
        weight = 0
        return taken
    }

    /// Ends a wait without a letter.
    func wake() {
        pthread_mutex_lock(lock)
        isWoken = true
        pthread_cond_signal(arrived)
        pthread_mutex_unlock(lock)
    }

    /// From now on clients are refused with this error; also those that wait already. Nil: they are welcome again.
    func refuseClients(_ error: EngineError?) {
        pthread_mutex_lock(lock)
        refusal = error
        let refused = error == nil ? [] : letters.filter(\.isRefusable)
        if error != nil {
            letters.removeAll(where: \.isRefusable)
            weight = letters.reduce(0) { $0 + $1.weight }
        }
        pthread_mutex_unlock(lock)
        if let error { for letter in refused { letter.refuse(error) } }
    }

    /// From now on everything is refused with this error; also what waits already.
    func close(_ error: EngineError) {
        pthread_mutex_lock(lock)
        closing = error
        let refused = letters
        letters = []
        weight = 0
        pthread_mutex_unlock(lock)
        for letter in refused { letter.refuse(error) }
    }

    /// Waits, without taking anything, until so long has passed or somebody calls ``wake()``.
    func pause(_ limit: Milliseconds) {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        var deadline = Self.deadline(limit)
        while !isWoken, pthread_cond_timedwait(arrived, lock, &deadline) != ETIMEDOUT {}
        isWoken = false
    }

    private static func deadline(_ limit: Milliseconds) -> timespec {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let nanoseconds = Int64(time.tv_nsec) + limit.rawValue % 1000 * 1_000_000
        time.tv_sec += Int(limit.rawValue / 1000 + nanoseconds / 1_000_000_000)
        time.tv_nsec = Int(nanoseconds % 1_000_000_000)
        return time
    }
}
