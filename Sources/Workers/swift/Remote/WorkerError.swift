public import StepwellModel

/// Why a worker elsewhere has to end.
public enum WorkerError: StepwellError, Hashable {
    /// The token is wrong, expired, or not allowed to.
    case notAllowed(String, String)
    /// The server speaks other versions of the protocol.
    case otherProtocol(String, String)
    /// The server does not take the worker's hello, or says what cannot be read.
    case notTaken(String, String)
    /// A number that is out of range, or no handler.
    case badWorker(String)

    public var code: String {
        switch self {
        case .notAllowed: "worker_not_allowed"
        case .otherProtocol: "worker_protocol"
        case .notTaken: "worker_not_taken"
        case .badWorker: "bad_worker"
        }
    }

    public var message: String {
        switch self {
        case .notAllowed(let server, let detail): "\(server) refuses the token: \(detail)"
        case .otherProtocol(let server, let detail): "\(server) speaks another protocol: \(detail)"
        case .notTaken(let server, let detail): "\(server) does not take this worker: \(detail)"
        case .badWorker(let detail): detail
        }
    }

    /// The status that `docs/worker-protocol.md` asks a worker's program to end with.
    public var exitStatus: Int32 {
        switch self {
        case .notAllowed: 77
        case .otherProtocol: 76
        case .notTaken, .badWorker: 1
        }
    }
}
