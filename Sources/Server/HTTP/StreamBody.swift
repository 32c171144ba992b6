import CMicroHTTPD
import Synchronization

/// A body without an end, as the connection's thread reads it. While the source has nothing, the connection sleeps.
final class StreamBody: @unchecked Sendable {  // `connection` belongs to the library, which outlives the body.
    private enum State {
        case awake
        /// Woken while it was reading: it must look again before it sleeps.
        case woken
        case asleep
        case closed
    }

    private let source: any BodySource
    private let connection: OpaquePointer
    private let exchange: Exchange
    private let state = Mutex(State.awake)

    init(_ source: any BodySource, _ exchange: Exchange) {
        self.source = source
        self.exchange = exchange
        connection = exchange.connection
    }

    /// The next bytes; empty when the connection was put to sleep, nil at the end.
    func read(_ countMax: Int) -> [UInt8]? {
        while true {
            state.withLock { $0 = .awake }
            guard let bytes = source.next(countMax, wake: { [weak self] in self?.wake() }) else { return nil }
            guard bytes.isEmpty else {
                exchange.bytesSent += bytes.count
                return bytes
            }
            let sleeps = state.withLock { state in
                guard case .awake = state else { return false }
                MHD_suspend_connection(connection)
                state = .asleep
                return true
            }
            if sleeps { return [] }
        }
    }

    private func wake() {
        let wakes = state.withLock { state in
            switch state {
            case .asleep:
                state = .awake
                return true
            case .awake:
                state = .woken
                return false
            case .woken, .closed: return false
            }
        }
        if wakes { MHD_resume_connection(connection) }
    }

    func close() {
        state.withLock { $0 = .closed }
        source.end()
    }
}
