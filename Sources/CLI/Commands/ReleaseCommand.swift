import Stepwell
import StepwellModel
import StepwellServer

/// `stepwell release`
struct ReleaseCommand: Command {
    static let help = CommandHelp(
        name: "release", summary: "End the hold of a server that was started with 'serve --hold'.",
        details: """
            Steps that wait are given to workers from now on. The server that has the store is asked to do it. Where nothing is held,
            nothing happens.
            """,
        options: [.reason, .store, .server, .tokenFile, .output],
        examples: ["stepwell release --reason 'the restored copy is sound'"])

    private let site: Site
    private let format: OutputFormat
    private let reason: String?

    init(_ arguments: Arguments) throws {
        site = try Site(arguments)
        format = try OutputFormat(arguments)
        reason = arguments[.reason]
    }

    func run() async throws -> ExitCode {
        let answer = try site.server().connection.post(["release"], .reason(reason))
        let isReleased = answer["released"] == .bool(true)
        format.print(answer, table: isReleased ? "released: steps are given to workers" : "there was no hold")
        return .success
    }
}

extension Site {
    /// - Throws: ``NoServer`` when the store has none.
    func server() throws -> ServerBackend {
        switch self {
        case .server(let connection): return ServerBackend(connection: connection)
        case .store(let store):
            guard let server = RunningServer.of(store) else { throw NoServer(store: store.path) }
            return server
        }
    }
}

/// A wish for a server where there is none.
struct NoServer: StepwellError {
    let store: String

    var code: String { "no_server" }
    var message: String { "no server has the store '\(store)'" }
    var cure: String? { "'stepwell serve' starts one; --store says which store is meant" }
}
