import Glibc
import StepwellEngine
package import StepwellModel

/// Writes lines to a descriptor on a thread of its own, so that a slow reader holds nobody up. When it is too slow for too long, lines
/// are dropped, and their number is told.
package final class LineWriter: @unchecked Sendable {  // Every member is touched under `lock` only.
    private let descriptor: Int32
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var lines: [String] = []
    private var dropped = 0
    private var isWriting = false
    private let told: @Sendable (Int) -> String
    /// So many lines may wait.
    private static let linesMax = 10_000

    /// - Parameter told: the line that tells how many were dropped.
    package init(_ descriptor: Int32, dropped told: @escaping @Sendable (Int) -> String) {
        self.descriptor = descriptor
        self.told = told
        lock = .allocate(capacity: 1)
        changed = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
        // For as long as the process lives.
        onThread { self.run() }
    }

    package func write(_ line: String) {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        guard lines.count < Self.linesMax else {
            dropped += 1
            return
        }
        lines.append(line)
        pthread_cond_broadcast(changed)
    }

    /// Waits until all lines are written, but not longer.
    package func flush(within limit: Milliseconds) {
        var end = timespec()
        clock_gettime(CLOCK_MONOTONIC, &end)
        end.tv_sec += Int(limit.rawValue / 1000)
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while !lines.isEmpty || isWriting {
            if pthread_cond_timedwait(changed, lock, &end) == ETIMEDOUT { return }
        }
    }

    private func run() {
        while true {
            pthread_mutex_lock(lock)
            isWriting = false
            pthread_cond_broadcast(changed)
            while lines.isEmpty { pthread_cond_wait(changed, lock) }
            var taken: [String] = []
            swap(&taken, &lines)
            if dropped > 0 { taken.append(told(dropped)) }
            dropped = 0
            isWriting = true
            pthread_mutex_unlock(lock)
            put(Array((taken.joined(separator: "\n") + "\n").utf8))
        }
    }

    /// What cannot be written is lost: there is nowhere to tell of it.
    private func put(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                guard errno == EAGAIN else { return }
                var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = Glibc.poll(&poll, 1, 1000)
                continue
            }
            rest = rest.dropFirst(count)
        }
    }
}
