import CLinux
import CMicroHTTPD
import StepwellEngine
import StepwellModel
import Synchronization

/// One request on its way: its body while it comes in, and the answer, which may come later and from any thread.
final class Exchange: WaitingAnswer, @unchecked Sendable {
    // Touched by the connection's thread alone, but for `state`.
    let connection: OpaquePointer
    var head: HTTPRequest
    /// What is wrong with the request before its body has come; answered when the body is read or dropped.
    var fault: HTTPResponse?
    let bodyBytesMax: Int
    var isBodyDropped = false
    /// The body has come, and the handler was called.
    var isWhole = false
    var bytesDropped = 0
    /// Bytes of the body that count toward those of all connections.
    var bytesCounted = 0
    /// The path as it came; empty when nobody wants to hear of requests.
    var path = ""
    /// Of the answer's body.
    var bytesSent = 0
    private var status: Int?
    private var actor = ""
    private let begun = monotonicNanoseconds()

    private enum Phase {
        /// The connection's thread is with the handler.
        case working
        /// The connection sleeps until the answer comes.
        case suspended
        case answered(HTTPResponse)
        /// The client does not want it any more.
        case abandoned
        /// The answer is on its way out, or the connection is closed.
        case over
    }

    private struct State {
        var phase = Phase.working
        /// Tells whoever works at the answer that nobody wants it.
        var abandon: HTTPServer.Abandon?
    }

    private let state = Mutex(State())

    init(connection: OpaquePointer, head: HTTPRequest, bodyBytesMax: Int) {
        self.connection = connection
        self.head = head
        self.bodyBytesMax = bodyBytesMax
    }

    /// Gives the answer. Only the first counts.
    func answer(_ response: HTTPResponse) { wake(.answered(response)) }

    /// What to call when the answer is wanted no more.
    func whenAbandoned(_ call: HTTPServer.Abandon?) {
        let isAbandoned = state.withLock { state in
            switch state.phase {
            case .working, .suspended:
                state.abandon = call
                return false
            case .abandoned: return true
            case .answered, .over: return false
            }
        }
        if isAbandoned { call?() }
    }

    private func wake(_ phase: Phase) {
        let (wakes, abandon) = state.withLock { state -> (Bool, HTTPServer.Abandon?) in
            let wakes: Bool
            switch state.phase {
            case .working: wakes = false
            case .suspended: wakes = true
            case .answered, .abandoned, .over: return (false, nil)
            }
            let abandon = state.abandon
            state = State(phase: phase)
            if case .answered = phase { return (wakes, nil) }
            return (wakes, abandon)
        }
        // The connection is there still: a suspended one is neither served nor closed.
        if wakes { MHD_resume_connection(connection) }
        abandon?()
    }

    /// What the connection's thread does next.
    enum Turn {
        case answer(HTTPResponse)
        /// The connection was put to sleep until there is something to do.
        case sleep
        /// The connection is to be closed.
        case close
    }

    func nextTurn() -> Turn {
        state.withLock { state in
            switch state.phase {
            case .answered(let response):
                state.phase = .over
                return .answer(response)
            case .working:
                MHD_suspend_connection(connection)
                state.phase = .suspended
                return .sleep
            case .abandoned:
                state.phase = .over
                return .close
            case .suspended, .over: return .sleep
            }
        }
    }

    /// What becomes known with the answer.
    func noteAnswer(_ response: HTTPResponse) {
        status = response.status
        actor = response.actor
        if case .bytes(let bytes) = response.body, head.method != "HEAD" { bytesSent = bytes.count }
    }

    func story(from remote: String?, isCut: Bool) -> AnsweredRequest {
        AnsweredRequest(
            method: head.method, path: path, status: status, bytes: bytesSent,
            microseconds: Int((monotonicNanoseconds() - begun) / 1000), actor: actor, remote: remote ?? "",
            isCut: isCut)
    }

    /// The connection is closed, or has been served.
    func end() {
        let abandon = state.withLock { state in
            let abandon = state.abandon
            state = State(phase: .over)
            return abandon
        }
        abandon?()
    }

    // MARK: The client, as the watch sees him

    func clientIsGone() { wake(.abandoned) }
}
