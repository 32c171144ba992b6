public import StepwellModel

/// Why a request has no answer. An answer with a bad status is none of these.
public enum HTTPError: StepwellError, Hashable {
    /// The address is none.
    case badAddress(String, reason: String)
    /// No connection to the server could be made: it has seen nothing of the request.
    case notReached(String, reason: String)
    /// The connection broke: what has come of the request is unknown.
    case noConnection(String, reason: String)
    /// The server is there, but no secure connection comes about: its certificate is not trusted, or it does not speak TLS.
    case noTrust(String, reason: String)
    /// Who is there does not speak HTTP.
    case noHTTP(String, reason: String)
    /// The answer did not come in time.
    case timeout(String, after: Duration)
    /// ``HTTPClient/interrupt()`` was called.
    case interrupted

    public var code: String {
        switch self {
        case .badAddress: "bad_server_address"
        case .notReached, .noConnection: "no_connection"
        case .noTrust: "tls_failed"
        case .noHTTP: "not_a_stepwell_server"
        case .timeout: "no_answer"
        case .interrupted: "interrupted_request"
        }
    }

    public var message: String {
        switch self {
        case .badAddress(let text, let reason): "'\(text)' is no address of a server: \(reason)"
        case .notReached(let address, let reason), .noConnection(let address, let reason):
            "no connection to \(address): \(reason)"
        case .noTrust(let address, let reason): "no secure connection to \(address): \(reason)"
        case .noHTTP(let address, let reason): "what listens at \(address) does not speak HTTP: \(reason)"
        case .timeout(let address, let limit): "\(address) did not answer within \(limit)"
        case .interrupted: "the request was broken off"
        }
    }

    public var cure: String? {
        switch self {
        case .badAddress: "such as http://127.0.0.1:7420, https://example.org, or unix:/run/stepwell/api.sock"
        case .notReached, .noConnection: "is the server running? 'stepwell serve' starts one"
        case .noTrust:
            "SSL_CERT_FILE names the certificates to trust; a server without a certificate has an http:// address"
        case .noHTTP: "correct the address; a server with a certificate has an https:// address"
        case .timeout, .interrupted: nil
        }
    }
}
