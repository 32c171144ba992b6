import CMicroHTTPD
import StepwellEngine
import StepwellModel
import Synchronization

/// What sleeps until the server has something for its client.
protocol WaitingAnswer: AnyObject, Sendable {
    /// Nobody reads the answer.
    func clientIsGone()
}

/// One connection of a client: where it stands, and until when that may last.
final class ConnectionRecord: Sendable {
    /// What the watch does with the connection.
    enum Verdict {
        case leave
        /// Shut it down, so that the library ends it.
        case end
        case free(any WaitingAnswer)
    }

    private enum Phase {
        /// A request is coming in, or nothing is.
        case receiving
        /// The answer, or more of it, is still to come.
        case waiting(any WaitingAnswer)
        /// The answer, or a piece of it, is on its way out.
        case sending
    }

    private struct State {
        var phase = Phase.receiving
        /// On the clock that nobody sets; the largest value while the server itself is what takes long.
        var deadline = Int64.max
        /// How often in a row the watch has found the client's side closed, in this phase.
        var looks = 0
    }

    let descriptor: Int32
    /// Kept for as long as the connection may use them.
    let credentials: TLSCredentials?
    /// The address of the other end, or `unix`.
    let remote: String
    private let state = Mutex(State())
    /// So many looks make it sure that what the client has sent was read: the library reads and goes on at once, between two looks.
    private static let looksMin = 2

    init(descriptor: Int32, remote: String, credentials: TLSCredentials?) {
        self.descriptor = descriptor
        self.remote = remote
        self.credentials = credentials
    }

    func receive(until deadline: Int64) {
        state.withLock { $0 = State(phase: .receiving, deadline: deadline) }
    }

    func wait(for answer: any WaitingAnswer) {
        state.withLock { $0 = State(phase: .waiting(answer)) }
    }

    func send(until deadline: Int64) {
        state.withLock { $0 = State(phase: .sending, deadline: deadline) }
    }

    /// What sleeps until its answer is there.
    var waiting: (any WaitingAnswer)? {
        state.withLock { state in
            if case .waiting(let answer) = state.phase { answer } else { nil }
        }
    }

    /// What to do, by whether the client has closed its side. `hasUnread` says whether something that he sent was not read yet.
    func judge(hasEnded: Bool, hasUnread: @autoclosure () -> Bool, at now: Int64) -> Verdict {
        state.withLock { state in
            if state.deadline < now { return .end }
            switch state.phase {
            case _ where !hasEnded, .sending:
                // While it sends, the library itself hears of a client that is gone.
                state.looks = 0
                return .leave
            case .receiving:
                // The end of the request can come no more.
                state.looks = hasUnread() ? 0 : state.looks + 1
                return state.looks >= Self.looksMin ? .end : .leave
            case .waiting(let answer): return .free(answer)
            }
        }
    }

    static func of(_ connection: OpaquePointer) -> ConnectionRecord? {
        mhd_socket_context(connection).map { Unmanaged<ConnectionRecord>.fromOpaque($0).takeUnretainedValue() }
    }
}

extension Milliseconds {
    /// The moment that is so far from now, on the clock that nobody sets.
    var fromNow: Int64 { monotonicMilliseconds() + rawValue }
}
