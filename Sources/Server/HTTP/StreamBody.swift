import CMicroHTTPD
import StepwellModel
import Synchronization

/// A body without an end, as the connection's thread reads it. While the source has nothing, the connection sleeps.
// `connection` belongs to the library, which outlives the body.
final class StreamBody: WaitingAnswer, @unchecked Sendable {
    private enum Phase {
        case awake
        /// Woken while it was reading: it must look again before it sleeps.
        case woken
        case asleep
        case closed
    }

    private struct State {
        var phase = Phase.awake
        var isAbandoned = false
    }

    private let source: any BodySource
    private let connection: OpaquePointer
    private let exchange: Exchange
    private let server: HTTPServer
    private let state = Mutex(State())

    init(_ source: any BodySource, _ exchange: Exchange, server: HTTPServer) {
        self.source = source
        self.exchange = exchange
        self.server = server
        connection = exchange.connection
    }

    /// The next bytes; empty when the connection was put to sleep, nil at the end.
    func read(_ countMax: Int) -> [UInt8]? {
        let record = ConnectionRecord.of(connection)
        while true {
            let isAbandoned = state.withLock { state in
                state.phase = .awake
                return state.isAbandoned
            }
            record?.send(until: server.limits.sendTime.fromNow)
            guard !isAbandoned, let bytes = source.next(countMax, wake: { [weak self] in self?.wake() }) else {
                return nil
            }
            guard bytes.isEmpty else {
                exchange.bytesSent += bytes.count
                return bytes
            }
            // Before it sleeps: once it does, it may be woken and closed at any time.
            record?.wait(for: self)
            guard !server.isEnding else { return nil }
            let sleeps = state.withLock { state in
                guard case .awake = state.phase else { return false }
                MHD_suspend_connection(connection)
                state.phase = .asleep
                return true
            }
            if sleeps { return [] }
        }
    }

    private func wake(_ change: (inout State) -> Void = { _ in }) {
        let wakes = state.withLock { state in
            change(&state)
            switch state.phase {
            case .asleep:
                state.phase = .awake
                return true
            case .awake:
                state.phase = .woken
                return false
            case .woken, .closed: return false
            }
        }
        if wakes { MHD_resume_connection(connection) }
    }

    func clientIsGone() { wake { $0.isAbandoned = true } }

    func close() {
        state.withLock { $0.phase = .closed }
        source.end()
    }
}
