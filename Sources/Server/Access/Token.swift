import CCrypto
import StepwellHistory
import StepwellLog
package import StepwellModel

/// A token as the server keeps it: what it allows, and the hash of its secret. The secret itself is shown once, when it is made.
package struct Token: Hashable, Sendable {
    package var name: String
    package var role: Role
    /// None: all.
    package var namespaces: [String]
    package var created: Timestamp
    package var expires: Timestamp?
    /// SHA-256 of the secret. The secret has 256 random bits, so nothing slower is needed.
    package var hash: [UInt8]

    /// A new token and its secret.
    package static func make(
        name: String, role: Role, namespaces: [String], created: Timestamp, expires: Timestamp?
    ) -> (token: Token, secret: String) {
        let secret = "stepwell_" + hexadecimal((0..<32).map { _ in UInt8.random(in: .min ... .max) })
        let token = Token(
            name: name, role: role, namespaces: namespaces, created: created, expires: expires,
            hash: hash(of: secret))
        return (token, secret)
    }

    static func hash(of secret: String) -> [UInt8] { SHA256.hash(Array(secret.utf8)) }

    func isExpired(at now: Timestamp) -> Bool { expires.map { $0 <= now } ?? false }

    /// Takes the same time whether the first byte differs or the last.
    func matches(_ other: [UInt8]) -> Bool {
        hash.count == other.count && CRYPTO_memcmp(hash, other, hash.count) == 0
    }
}

extension Token {
    package var json: JSON {
        [
            "name": .string(name), "role": .string(role.rawValue), "namespaces": .array(namespaces.map(JSON.string)),
            "created_at": .string(created.description), "expires_at": expires.map { .string($0.description) } ?? .null,
        ]
    }

    /// As the file keeps it.
    var stored: JSON {
        guard case .object(let members) = json else { return json }
        return .object(members + [.init("sha256", .string(hexadecimal(hash)))])
    }

    init?(stored json: JSON) {
        guard let name = json["name"]?.string, let role = json["role"]?.string.flatMap(Role.init),
            let namespaces = json["namespaces"]?.array?.compactMap(\.string),
            let created = json["created_at"]?.string.flatMap(Timestamp.init),
            let hash = json["sha256"]?.string.flatMap({ bytes(hexadecimal: $0) })
        else { return nil }
        self.init(
            name: name, role: role, namespaces: namespaces, created: created,
            expires: json["expires_at"]?.string.flatMap(Timestamp.init), hash: hash)
    }
}
