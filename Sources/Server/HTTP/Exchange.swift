import CMicroHTTPD
import StepwellEngine
import StepwellModel
import Synchronization

/// One request on its way: its body while it comes in, and the answer, which may come later and from any thread.
final class Exchange: @unchecked Sendable {
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

    private enum State {
        /// The connection's thread is with the handler.
        case working
        /// The connection sleeps until the answer comes.
        case suspended
        case answered(HTTPResponse)
        /// The answer is on its way out, or the client is gone.
        case over
    }

    private let state = Mutex(State.working)

    init(connection: OpaquePointer, head: HTTPRequest, bodyBytesMax: Int) {
        self.connection = connection
        self.head = head
        self.bodyBytesMax = bodyBytesMax
    }

    /// Gives the answer. Only the first counts.
    func answer(_ response: HTTPResponse) {
        let wakes = state.withLock { state in
            switch state {
            case .working:
                state = .answered(response)
                return false
            case .suspended:
                state = .answered(response)
                return true
            case .answered, .over: return false
            }
        }
        // The connection is there still: a suspended one is neither served nor closed.
        if wakes { MHD_resume_connection(connection) }
    }

    /// The answer, if it is there; else the connection is put to sleep until it is.
    func takeAnswerOrSuspend() -> HTTPResponse? {
        state.withLock { state in
            switch state {
            case .answered(let response):
                state = .over
                return response
            case .working:
                MHD_suspend_connection(connection)
                state = .suspended
                return nil
            case .suspended, .over: return nil
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

    func end() {
        state.withLock { $0 = .over }
    }
}
