import Glibc
import StepwellEngine
import StepwellHTTP

/// A server that is away while somebody waits for it: since when, and how soon to try again.
struct Absence {
    /// How long a server may be away before that is an error, in milliseconds.
    static let patience: Int64 = 300_000
    private static let delayMin: UInt32 = 50_000
    private static let delayMax: UInt32 = 2_000_000

    private var since: Int64?
    private var delay = delayMin

    /// Whether the error comes of an absence, and may pass: there is no connection, or the server only starts or stops.
    static func explains(_ error: any Error) -> Bool {
        switch error {
        case let refusal as ServerRefusal: ["stopping", "not_ready", "busy"].contains(refusal.code)
        case let error as HTTPError: error.reasonOfNoConnection != nil
        default: false
        }
    }

    /// Waits a little before the next try.
    /// - Parameters:
    ///   - error: what the last try has come to; told the first time, if it is a broken connection.
    ///   - patience: how long to try again; nil: for ever.
    mutating func wait(
        _ error: (any Error)?, for connection: ServerConnection, patience: Int64?, tell: (String) -> Void
    ) throws {
        let now = monotonicMilliseconds()
        if since == nil, let reason = (error as? HTTPError)?.reasonOfNoConnection {
            tell("the connection to \(connection.address) is broken, trying again: \(reason)")
        }
        let begun = since ?? now
        since = begun
        if let patience, now - begun > patience {
            throw HTTPError.noConnection("\(connection.address)", reason: "it was away for too long")
        }
        usleep(delay)
        delay = min(delay * 2, Self.delayMax)
    }

    /// It is back.
    mutating func end() { self = Absence() }
}

extension ServerBackend {
    /// Asks again while the server is away, for a question of somebody who waits anyway.
    func patiently<Answer>(tell: (String) -> Void = { note($0) }, _ question: () throws -> Answer) throws -> Answer {
        var absence = Absence()
        while true {
            do {
                return try question()
            } catch  where Absence.explains(error) {
                try absence.wait(error, for: connection, patience: Absence.patience, tell: tell)
            }
        }
    }
}

extension HTTPError {
    /// Why there was no connection, or no longer one; nil for other errors.
    fileprivate var reasonOfNoConnection: String? {
        switch self {
        case .notReached(_, let reason), .noConnection(_, let reason): reason
        case .badAddress, .noTrust, .noHTTP, .timeout, .interrupted: nil
        }
    }
}
