import Glibc
import Stepwell
import StepwellEngine
import StepwellHTTP
import StepwellLog
import StepwellModel
import StepwellServer

/// The server that has a store, asked over the socket in the store's directory: what would otherwise need the store for itself is
/// done by the server.
enum RunningServer {
    /// Nil when there is none, or it does not answer yet.
    static func of(_ store: StoreLocation) -> ServerBackend? {
        let path = store.path + "/" + ServiceHost.socketName
        guard Files.exists(path), let address = try? HTTPAddress("unix:" + path) else { return nil }
        let connection = ServerConnection(address, token: nil)
        guard let answer = try? connection.client.send("GET", "/v1/health/ready", timeout: .seconds(10)),
            answer.status == 200
        else { return nil }
        return ServerBackend(connection: connection)
    }

    /// How long a server may take to start or to stop, in milliseconds.
    private static let patience: Int64 = 60_000
    private static let pause: UInt32 = 50_000

    /// Changes a store: by the server that has it, else by this process alone. A server that is starting or stopping is waited for.
    static func write<Result>(
        to store: StoreLocation, by server: (ServerBackend) async throws -> Result, alone: () async throws -> Result
    ) async throws -> Result {
        let end = monotonicMilliseconds() + patience
        while true {
            do {
                if let running = of(store) { return try await server(running) }
                if !isServed(store) || monotonicMilliseconds() > end { return try await alone() }
            } catch let error as any StepwellError where isPassing(error, store) && monotonicMilliseconds() <= end {}
            usleep(pause)
        }
    }

    /// Whether the error comes of a server that starts or stops just now. Nothing has been done then.
    private static func isPassing(_ error: any StepwellError, _ store: StoreLocation) -> Bool {
        switch error {
        case let refusal as ServerRefusal: ["stopping", "not_ready"].contains(refusal.code)
        default: error.code == "store_locked" && isServed(store)
        }
    }

    /// Whether the engine that has the store is one of `stepwell serve`.
    static func isServed(_ store: StoreLocation) -> Bool {
        guard let process = LMDBReader.engineProcess(on: store.path),
            let words = try? Files.read("/proc/\(process)/cmdline")
        else { return false }
        return words.split(separator: 0, omittingEmptySubsequences: false).dropFirst().first
            == Array(ServeCommand.help.name.utf8)[...]
    }
}
