import CMicroHTTPD
import Glibc
import StepwellEngine
import StepwellModel
import Synchronization

/// One connection of a client, and until when its present phase may last.
final class ConnectionRecord: Sendable {
    let descriptor: Int32
    /// Kept for as long as the connection may use them.
    let credentials: TLSCredentials?
    /// The address of the other end, or `unix`.
    let remote: String
    /// On the clock that nobody sets; the largest value while the server itself is what takes long.
    let deadline = Atomic<Int64>(.max)

    init(descriptor: Int32, remote: String, credentials: TLSCredentials?) {
        self.remote = remote
        self.descriptor = descriptor
        self.credentials = credentials
    }

    func begin(_ time: Milliseconds) {
        deadline.store(monotonicMilliseconds() + time.rawValue, ordering: .relaxed)
    }

    static func of(_ connection: OpaquePointer) -> ConnectionRecord? {
        mhd_socket_context(connection).map { Unmanaged<ConnectionRecord>.fromOpaque($0).takeUnretainedValue() }
    }
}

/// All connections, watched: one that trickles its headers or its body byte by byte never looks idle to the library, and would
/// keep its place for ever.
final class Connections: Sendable {
    private let records = Mutex<[ObjectIdentifier: ConnectionRecord]>([:])
    private let limits: HTTPLimits
    private let isWatching = Atomic(false)
    private static let tick: UInt32 = 500_000

    init(_ limits: HTTPLimits) {
        self.limits = limits
    }

    var count: Int { records.withLock { $0.count } }

    func open(_ descriptor: Int32, from remote: String, _ credentials: TLSCredentials?) -> ConnectionRecord {
        let record = ConnectionRecord(descriptor: descriptor, remote: remote, credentials: credentials)
        record.begin(limits.headerTime)
        records.withLock { $0[ObjectIdentifier(record)] = record }
        return record
    }

    /// Comes before the descriptor is closed.
    func close(_ record: ConnectionRecord) {
        _ = records.withLock { $0.removeValue(forKey: ObjectIdentifier(record)) }
    }

    func watch() {
        isWatching.store(true, ordering: .relaxed)
        onThread { [weak self] in
            while let self, self.isWatching.load(ordering: .relaxed) {
                self.endOverdue(at: monotonicMilliseconds())
                usleep(Self.tick)
            }
        }
    }

    func endWatch() {
        isWatching.store(false, ordering: .relaxed)
    }

    /// Ends the connections whose time is over.
    func endOverdue(at now: Int64) {
        records.withLock { records in
            for record in records.values where record.deadline.load(ordering: .relaxed) < now {
                // Under the lock, so that the descriptor is this connection's still.
                shutdown(record.descriptor, Int32(SHUT_RDWR))
            }
        }
    }
}
