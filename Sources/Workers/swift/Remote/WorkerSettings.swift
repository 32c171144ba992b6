import StepwellHTTP
import StepwellModel

/// For whom a worker works, and under which name.
struct WorkerSettings: Sendable {
    enum Carrier: Sendable {
        /// Lines on standard input and output.
        case lines
        case server(String)
    }

    /// Nil: as the environment says.
    var carrier: Carrier?
    var token: String?
    var name: String?
    var namespaces: [String] = []
    var labels: [String: String] = [:]
    var concurrency: Int
    /// Whether what handlers print goes to their steps' logs, where the process has standard output for itself. Over lines it
    /// always does.
    var logsPrints = false

    init(concurrency: Int) { self.concurrency = concurrency }

    func check() throws {
        guard 1...1000 ~= concurrency else {
            throw WorkerError.badWorker("the concurrency is 1 to 1000, not \(concurrency)")
        }
        if case .server(let address) = carrier { _ = try HTTPAddress(address) }
    }

    func chosenCarrier() throws -> Carrier {
        if let carrier { return carrier }
        if isStartedByEngine { return .lines }
        if let server = environmentVariable("STEPWELL_URL") { return .server(server) }
        throw WorkerError.badWorker(
            "a worker is started by the engine (stepwell run TEMPLATE --worker COMMAND), or needs a server: --server URL"
        )
    }

    func hello(_ handlers: [HandlerFunction], isRemote: Bool) -> [UInt8] {
        Message.encode("hello") { json in
            json.member("protocol", 1)
            json.name("handlers")
            json.beginArray()
            for handler in handlers {
                json.beginObject()
                json.member("name", handler.name)
                json.member("version", handler.version)
                json.endObject()
            }
            json.endArray()
            json.member("concurrency", concurrency)
            json.member("sdk", "stepwell-swift \(stepwellVersion)")
            guard isRemote else { return }
            if let name { json.member("name", name) }
            if !namespaces.isEmpty { json.member("namespaces", .array(namespaces.map(JSON.string))) }
            if !labels.isEmpty {
                let members = labels.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }
                json.member("labels", .object(members))
            }
        }
    }
}

/// Whether the engine has started this process as a worker.
var isStartedByEngine: Bool { environmentVariable("STEPWELL_WORKER") == "1" }
