import CLinux
import Glibc
import StepwellEngine
import StepwellModel
import Synchronization

/// All connections, watched, because of what libmicrohttpd does not see: one that trickles its headers or its body byte by byte
/// never looks idle to it, an end that comes together with data is often overlooked, and of a connection that sleeps it hears
/// nothing at all.
final class Connections: Sendable {
    private let records = Mutex<[ObjectIdentifier: ConnectionRecord]>([:])
    private let limits: HTTPLimits
    private let isWatching = Atomic(false)
    /// So many are looked at in one go, while none of them can be closed.
    private static let batch = 1024

    init(_ limits: HTTPLimits) {
        self.limits = limits
    }

    var count: Int { records.withLock { $0.count } }

    func open(_ descriptor: Int32, from remote: String, _ credentials: TLSCredentials?) -> ConnectionRecord {
        let record = ConnectionRecord(descriptor: descriptor, remote: remote, credentials: credentials)
        record.receive(until: limits.headerTime.fromNow)
        records.withLock { $0[ObjectIdentifier(record)] = record }
        return record
    }

    /// Comes before the descriptor is closed.
    func close(_ record: ConnectionRecord) {
        _ = records.withLock { $0.removeValue(forKey: ObjectIdentifier(record)) }
    }

    /// What sleeps now.
    var waiting: [any WaitingAnswer] { records.withLock { $0.values.compactMap(\.waiting) } }

    func watch() {
        isWatching.store(true, ordering: .relaxed)
        let pause = UInt32(limits.lookPause.rawValue * 1000)
        onThread { [weak self] in
            while let self, self.isWatching.load(ordering: .relaxed) {
                self.look(at: monotonicMilliseconds())
                usleep(pause)
            }
        }
    }

    func endWatch() {
        isWatching.store(false, ordering: .relaxed)
    }

    /// Ends the connections whose time is over, and those whose clients are gone.
    func look(at now: Int64) {
        let all = records.withLock { Array($0.values) }
        for first in stride(from: 0, to: all.count, by: Self.batch) {
            look(at: now, all[first..<min(first + Self.batch, all.count)])
        }
    }

    private func look(at now: Int64, _ batch: ArraySlice<ConnectionRecord>) {
        var freed: [any WaitingAnswer] = []
        // Under the lock, so that each descriptor is that of its connection still.
        records.withLock { records in
            let present = batch.filter { records[ObjectIdentifier($0)] != nil }
            var polled = present.map { pollfd(fd: $0.descriptor, events: linux_half_closed(), revents: 0) }
            guard poll(&polled, nfds_t(polled.count), 0) >= 0 else { return }
            for (record, seen) in zip(present, polled) {
                let hasUnread = { linux_has_unread(record.descriptor) != 0 }
                switch record.judge(hasEnded: hasEnded(seen.revents), hasUnread: hasUnread(), at: now) {
                case .leave: break
                case .end: shutdown(record.descriptor, Int32(SHUT_RDWR))
                case .free(let answer): freed.append(answer)
                }
            }
        }
        // Without it: each takes a lock of its own, under which its connection cannot end while it sleeps.
        for answer in freed { answer.clientIsGone() }
    }

    /// Whether the client has closed its side. One who has shut down only his writing side, and would still read, looks the same, and
    /// the library does not answer him either once it has slept.
    private func hasEnded(_ events: Int16) -> Bool {
        events & (Int16(POLLHUP | POLLERR | POLLNVAL) | linux_half_closed()) != 0
    }
}
