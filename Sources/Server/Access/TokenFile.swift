import CLinux
import Glibc
import Stepwell
import StepwellLog
package import StepwellModel

/// The file in the store's directory that holds the tokens. Only its owner can read it, and it is replaced as a whole.
package struct TokenFile: Sendable {
    package static let name = "tokens.json"

    package let path: String
    private let store: String

    package init(store: String) {
        self.store = store
        path = store + "/" + Self.name
    }

    /// The tokens; none without a file.
    /// - Throws: ``FileError``; ``TokenError`` when it is not what was written.
    package func read() throws -> [Token] {
        guard access(path, F_OK) == 0 else { return [] }
        let bytes = try Files.read(path)
        guard let list = (try? JSONText(bytes))?.json.array else { throw TokenError.unreadable(path) }
        return try list.map { entry in
            guard let token = Token(stored: entry) else { throw TokenError.unreadable(path) }
            return token
        }
    }

    /// Adds a token, or takes the place of one that has expired.
    /// - Throws: ``TokenError/taken(_:)`` when another has its name.
    package func add(_ token: Token, now: Timestamp) throws {
        try change { tokens in
            tokens.removeAll { $0.name == token.name && $0.isExpired(at: now) }
            guard !tokens.contains(where: { $0.name == token.name }) else { throw TokenError.taken(token.name) }
            tokens.append(token)
        }
    }

    /// - Throws: ``TokenError/unknown(_:)``.
    package func revoke(_ name: String) throws {
        try change { tokens in
            guard tokens.contains(where: { $0.name == name }) else { throw TokenError.unknown(name) }
            tokens.removeAll { $0.name == name }
        }
    }

    /// One at a time, whoever else does the same just now: the file that is written must not lack what another has added.
    private func change(_ body: (inout [Token]) throws -> Void) throws {
        let folder = linux_open(store, O_RDONLY | O_DIRECTORY, 0)
        guard folder >= 0 else { throw FileError.last(store, "unwritable_file") }
        // The lock goes with it.
        defer { close(folder) }
        while flock(folder, LOCK_EX) != 0 {
            guard errno == EINTR else { throw FileError.last(store, "unwritable_file") }
        }
        var tokens = try read()
        try body(&tokens)
        try AtomicFile.write(Array((JSON.array(tokens.map(\.stored)).pretty + "\n").utf8), to: path)
    }
}

/// Trouble with tokens.
package enum TokenError: StepwellError {
    case taken(String)
    case unknown(String)
    case unreadable(String)

    package var code: String {
        switch self {
        case .taken: "token_exists"
        case .unknown: "unknown_token"
        case .unreadable: "token_file"
        }
    }

    package var message: String {
        switch self {
        case .taken(let name): "there is a token '\(name)' already"
        case .unknown(let name): "there is no token '\(name)'"
        case .unreadable(let path): "'\(path)' is not what Stepwell has written"
        }
    }

    package var cure: String? {
        switch self {
        case .taken: "revoke it first, or choose another name"
        case .unknown: "'stepwell token list' shows them"
        case .unreadable: "bring back a copy of it, or remove it and make new tokens"
        }
    }
}
