package import StepwellEngine
import StepwellModel
import Synchronization

/// Who is let in: by a token, or, where none are needed, as somebody of this machine.
package final class Access: Sendable {
    private struct State {
        var tokens: [Token]
        var read: Int64
    }

    private let file: TokenFile
    private let clock: any MachineClock
    /// Whether a client without a token is nobody; nil: as soon as there is any.
    private let demand: Bool?
    /// Whether the server can be reached from other machines, where it has a name.
    private let isOpen: Bool
    private let state: Mutex<State>
    /// How often the file is looked at again: a revoked token is refused after so long.
    private static let rereadAfter: Int64 = 1000

    /// - Parameters:
    ///   - isTokenNeeded: nil: if there is any.
    ///   - isOpen: whether other machines reach the server.
    package init(
        _ file: TokenFile, isTokenNeeded: Bool? = nil, isOpen: Bool = false, clock: any MachineClock = SystemClock()
    ) throws {
        self.isOpen = isOpen
        self.file = file
        self.clock = clock
        demand = isTokenNeeded
        state = Mutex(State(tokens: try file.read(), read: clock.read().monotonic.rawValue))
    }

    /// Who comes with these headers.
    /// - Parameter isLocal: over the socket in the store's directory, which only its owner can reach.
    package func identify(_ request: HTTPRequest, isLocal: Bool, for permission: Permission) throws(Problem) -> Identity
    {
        if isLocal { return Identity(name: request.headers["x-stepwell-actor"] ?? "", role: .admin) }
        guard let header = request.headers["authorization"] else {
            guard permission != .none, demand ?? !currentTokens().isEmpty else {
                if permission != .none { try refuseForeignPage(request) }
                return Identity(name: request.headers["x-stepwell-actor"] ?? "", role: .admin)
            }
            throw Problem(
                401, "token_missing", "this server needs a token",
                cure: "send 'Authorization: Bearer TOKEN', or set STEPWELL_TOKEN; 'stepwell token create' makes one")
        }
        let words = header.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bearer" else {
            throw Problem(401, "token_malformed", "the header 'Authorization' is not 'Bearer TOKEN'")
        }
        guard let token = token(of: String(words[1])) else {
            throw Problem(401, "token_unknown", "the token is unknown, or was revoked", cure: "ask for a new one")
        }
        if token.isExpired(at: clock.read().wall) {
            throw Problem(401, "token_expired", "the token '\(token.name)' has expired", cure: "ask for a new one")
        }
        guard permission.isGranted(to: token.role) else {
            throw Problem(
                403, "not_allowed",
                "the token '\(token.name)' has the role \(token.role.rawValue), which does not allow this")
        }
        return Identity(
            name: token.name, role: token.role,
            namespaces: token.namespaces.isEmpty ? .all : .only(token.namespaces),
            token: ([token.name] + token.namespaces).joined(separator: " "))
    }

    /// Where a token is needed none of this is: a page has none.
    private func refuseForeignPage(_ request: HTTPRequest) throws(Problem) {
        // Browsers do not speak over sockets of the file system.
        guard request.remote != "unix", let page = ForeignPage.of(request, mayHaveName: isOpen) else { return }
        throw Problem(
            403, "foreign_page", "the request is from a web page of '\(page)', and this server needs no token",
            cure: "call the server 'localhost' or by its number, or make a token with 'stepwell token create'")
    }

    private func token(of secret: String) -> Token? {
        let hash = Token.hash(of: secret)
        // All are compared, so that the time does not tell which came close.
        return currentTokens().reduce(nil) { found, token in token.matches(hash) ? token : found }
    }

    private func currentTokens() -> [Token] {
        let now = clock.read().monotonic.rawValue
        return state.withLock { state in
            if now - state.read >= Self.rereadAfter {
                state.read = now
                // A file that cannot be read just now leaves things as they were.
                if let tokens = try? file.read() { state.tokens = tokens }
            }
            return state.tokens
        }
    }
}
