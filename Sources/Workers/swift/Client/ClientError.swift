public import StepwellModel

/// Why a ``Client`` has no answer.
public enum ClientError: StepwellError {
    /// The server has refused the request; the code is the server's own, such as `unknown_task`.
    case refused(status: Int, code: String, detail: String, cure: String?)
    /// No answer came. Whether the server has done what was asked is unknown, unless it is asked again.
    case unreachable(String, reason: String)
    /// The server's certificate is none to trust, or there is no secure connection for another reason.
    case untrusted(String, reason: String)
    /// The answer is not what a Stepwell server says.
    case unreadable(String, reason: String)
    /// The task did not settle in time; this is how it was then.
    case notSettled(RemoteTask, after: Duration)
    /// The address is none.
    case badAddress(String, reason: String)

    public var code: String {
        switch self {
        case .refused(_, let code, _, _): code
        case .unreachable: "unreachable"
        case .untrusted: "tls_failed"
        case .unreadable: "unreadable_answer"
        case .notSettled: "wait_timeout"
        case .badAddress: "bad_server_address"
        }
    }

    public var message: String {
        switch self {
        case .refused(_, _, let detail, _): detail
        case .unreachable(let address, let reason): "\(address) does not answer: \(reason)"
        case .untrusted(let address, let reason): "no secure connection to \(address): \(reason)"
        case .unreadable(let address, let reason): "\(address) gave an answer that cannot be read: \(reason)"
        case .notSettled(let task, let time): "task \(task.id) is \(task.state) after \(time)"
        case .badAddress(let text, let reason): "'\(text)' is no address of a server: \(reason)"
        }
    }

    public var cure: String? {
        switch self {
        case .refused(_, _, _, let cure): cure
        case .unreachable: "is 'stepwell serve' running there? STEPWELL_URL names another address"
        case .untrusted: "SSL_CERT_FILE names the certificates to trust"
        case .unreadable: "is this a Stepwell server?"
        case .notSettled(let task, _): "wait longer, or look why: stepwell explain \(task.id)"
        case .badAddress: "such as http://127.0.0.1:7420, https://example.org, or unix:/run/stepwell/api.sock"
        }
    }

    /// Whether the server is only away: not reached, starting, stopping, or busy. A proxy before it has words of its own.
    public var mayPass: Bool {
        switch self {
        case .refused(let status, _, _, _): 502...504 ~= status
        case .unreachable: true
        case .untrusted, .unreadable, .notSettled, .badAddress: false
        }
    }

    /// The HTTP status of a refusal; 0 for all else.
    public var status: Int {
        if case .refused(let status, _, _, _) = self { status } else { 0 }
    }
}
