import StepwellModel

/// Why a worker elsewhere does not get what it asked for.
package enum RemoteError: StepwellError, Hashable {
    /// The session is over, or never was: the worker registers again.
    case unknownWorker(String)
    /// What it said is no message of the protocol, and has ended its session.
    case malformed(String)
    case otherProtocol(Int64)
    /// The worker asks for namespaces of which it may have none.
    case notAllowed([String])
    /// The log has failed, or the engine has stopped.
    case unavailable(String)
    case tooMany(Int)

    package var code: String {
        switch self {
        case .unknownWorker: "unknown_worker"
        case .malformed: "malformed_message"
        case .otherProtocol: "protocol_version"
        case .notAllowed: "not_allowed"
        case .unavailable: "engine_stopped"
        case .tooMany: "busy"
        }
    }

    package var message: String {
        switch self {
        case .unknownWorker(let id):
            "there is no session '\(id)' of a worker: it has ended, or the server was started again"
        case .malformed(let reason): "malformed message: \(reason)"
        case .otherProtocol(let version):
            "the worker speaks version \(version) of the worker protocol; this server speaks version "
                + "\(WorkerMessage.protocolVersion)"
        case .notAllowed(let namespaces): "the token does not allow workers for " + namespaces.joined(separator: ", ")
        case .unavailable(let reason): "the engine takes no reports: \(reason)"
        case .tooMany(let limit): "there are \(limit) workers already"
        }
    }

    package var cure: String? {
        switch self {
        case .unknownWorker: "register again"
        case .malformed: "mend the worker; docs/worker-protocol.md describes the messages"
        case .notAllowed: "ask for namespaces of the token, or for none"
        case .otherProtocol: "use an SDK of the server's version"
        case .unavailable: "send it again a little later"
        case .tooMany: "end workers that are not needed"
        }
    }
}
