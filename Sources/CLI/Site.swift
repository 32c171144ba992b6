import Glibc
import Stepwell
import StepwellHTTP
import StepwellModel

/// Where the tasks of a command are: in a store on this machine, or with a server.
enum Site: Sendable {
    case store(StoreLocation)
    case server(ServerConnection)

    /// The first of `--server`, `--store`, `STEPWELL_URL`, and the store that is meant without any.
    init(_ arguments: Arguments) throws {
        if arguments.has(.server), arguments.has(.store) {
            throw UsageError("'--server' and '--store' name two places; leave one out")
        }
        let environment = arguments.has(.store) ? nil : Self.environmentURL
        guard let url = arguments[.server] ?? environment else {
            self = .store(StoreLocation(arguments))
            return
        }
        self = .server(ServerConnection(try HTTPAddress(url), token: try Self.token(arguments)))
    }

    var backend: any Backend {
        switch self {
        case .store(let store): StoreBackend(store: store)
        case .server(let connection): ServerBackend(connection: connection)
        }
    }

    /// Does what changes tasks: by a server, or, where none has the store, by an engine of this process.
    func write<Result>(
        by server: (ServerBackend) async throws -> Result, alone: (StoreLocation) async throws -> Result
    ) async throws -> Result {
        switch self {
        case .server(let connection): try await server(ServerBackend(connection: connection))
        case .store(let store):
            try await RunningServer.write(to: store, by: server, alone: { try await alone(store) })
        }
    }

    static var environmentURL: String? { variable("STEPWELL_URL") }

    private static func token(_ arguments: Arguments) throws -> String? {
        guard let path = arguments[.tokenFile] else { return variable("STEPWELL_TOKEN").flatMap(word) }
        guard let token = word(String(decoding: try Files.read(path), as: UTF8.self)) else {
            throw UsageError("'--token-file': there is no token in '\(path)'")
        }
        return token
    }

    /// Without the line's end that an editor has put behind it.
    private static func word(_ text: String) -> String? {
        text.split(whereSeparator: \.isWhitespace).first.map(String.init)
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
