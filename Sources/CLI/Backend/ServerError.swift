import Stepwell
import StepwellHTTP
import StepwellModel

/// Why a server is not one to work with.
enum ServerError: StepwellError {
    /// What is wrong with a token; the words are the server's.
    enum Token: String, Sendable {
        case missing = "token_missing"
        case malformed = "token_malformed"
        case unknown = "token_unknown"
        case expired = "token_expired"
    }

    case notStepwell(HTTPAddress, reason: String)
    case otherVersion(HTTPAddress, String, detail: String)
    case token(HTTPAddress, Token, detail: String)

    var code: String {
        switch self {
        case .notStepwell: "not_a_stepwell_server"
        case .otherVersion: "other_version"
        case .token(_, .missing, _): "token_missing"
        case .token(_, .malformed, _): "token_malformed"
        case .token(_, .unknown, _): "token_unknown"
        case .token(_, .expired, _): "token_expired"
        }
    }

    var message: String {
        switch self {
        case .notStepwell(let address, let reason): "what answers at \(address) is no Stepwell server: \(reason)"
        case .otherVersion(let address, let version, let detail):
            "\(address) runs stepwell \(version), this is \(stepwellVersion): \(detail)"
        case .token(let address, _, let detail): "\(address): \(detail)"
        }
    }

    var cure: String? {
        switch self {
        case .notStepwell:
            "correct --server or STEPWELL_URL; a proxy in front of the server must let its headers through"
        case .otherVersion: "use the server's version"
        case .token(_, .missing, _):
            "--token-file or STEPWELL_TOKEN names a token; 'stepwell token create' makes one there"
        case .token: "ask for another token; 'stepwell token create' makes one on the server's machine"
        }
    }
}

/// What a server has said no to, in its own words.
struct ServerRefusal: StepwellError {
    let code: String
    let message: String
    let cure: String?

    init(_ answer: HTTPAnswer) {
        let problem = (try? JSONText(answer.body))?.json
        code = problem?["code"]?.string ?? "internal"
        message = problem?["detail"]?.string ?? "the server has answered \(answer.status)"
        cure = problem?["cure"]?.string
    }
}

/// A command that needs the store itself, or none, and was given a server.
struct NotRemote: StepwellError {
    let command: String
    /// Whether it works on a store at all.
    let needsStore: Bool
    /// What named the server.
    let option: String

    var code: String { "not_remote" }
    var message: String {
        needsStore
            ? "'\(command)' works on the store itself and cannot go through a server; \(option) names one"
            : "'\(command)' works on files of this machine and asks no server; \(option) names one"
    }
    var cure: String? {
        needsStore
            ? "run it on the server's machine, with '--store DIR'" : "leave \(option) out"
    }
}
