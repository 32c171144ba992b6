import Stepwell
import StepwellHTTP
import StepwellHistory
import StepwellModel
import StepwellServer

/// The server that has a store, asked over the socket in the store's directory: what would otherwise need the store for itself is
/// done by the server.
struct RunningServer {
    private let client: HTTPClient

    /// Nil when there is none.
    init?(_ store: StoreLocation) {
        let path = store.path + "/" + ServiceHost.socketName
        guard Files.exists(path), let client = try? HTTPClient(address: "unix:" + path),
            let answer = try? client.send("GET", "/v1/health/live", timeout: .seconds(10)), answer.status == 200
        else { return nil }
        self.client = client
    }

    /// Whether it gives nothing to workers.
    var isHeld: Bool {
        guard let answer = try? client.send("GET", "/v1/health/ready", timeout: .seconds(10)) else { return false }
        return (try? JSONText(answer.body))?.json["held"] == .bool(true)
    }

    /// Says so where somebody may wait in vain.
    func tellHold() {
        if isHeld { note("the server is on hold: nothing starts until 'stepwell release'") }
    }

    /// Asks for a change.
    /// - Throws: ``ServerRefusal``, or `HTTPError` when the server has gone.
    @discardableResult
    func post(_ path: [String], _ body: JSON) throws -> JSON {
        try ask("POST", Self.address(path), "application/json", JSONText(body).bytes)
    }

    func get(_ path: [String]) throws -> JSON {
        try ask("GET", Self.address(path), "application/json", [])
    }

    func put(_ path: [String], _ body: JSON) throws {
        _ = try ask("PUT", Self.address(path), "application/json", JSONText(body).bytes)
    }

    func delete(_ path: [String], reason: String?) throws {
        let query = reason.map { "?reason=" + $0.percentEncoded } ?? ""
        _ = try ask("DELETE", Self.address(path) + query, "application/json", [])
    }

    private static func address(_ path: [String]) -> String {
        "/v1/" + path.map(\.percentEncoded).joined(separator: "/")
    }

    /// Makes a template known.
    func put(template text: [UInt8], environment: String?) throws {
        let query = environment.map { "?environment=" + $0.percentEncoded } ?? ""
        _ = try ask("PUT", "/v1/templates" + query, "application/yaml", text)
    }

    private func ask(_ method: String, _ path: String, _ type: String, _ body: [UInt8]) throws -> JSON {
        let answer = try client.send(
            method, path, body: body, headers: [("Content-Type", type), ("X-Stepwell-Actor", Operator.name)])
        guard (200..<300).contains(answer.status) else { throw ServerRefusal(answer) }
        return (try? JSONText(answer.body))?.json ?? .null
    }

    /// Waits until the task is settled, or for so many seconds.
    func wait(for task: TaskID, seconds: Int) throws {
        let answer = try client.send("GET", "/v1/tasks/\(task)?wait=\(seconds)s", timeout: .seconds(seconds + 30))
        guard answer.status == 200 else { throw ServerRefusal(answer) }
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

extension StoreLocation {
    /// One change of a task: by the server that has the store, or by an engine of this process that runs nothing.
    /// - Parameters:
    ///   - path: what the server is asked for, below `/v1/tasks/ID`.
    func change(
        _ task: TaskID, _ path: [String], _ body: JSON, _ local: (TaskHandle) async throws -> Void
    ) async throws -> TaskReport {
        guard let server = RunningServer(self) else {
            return try await change { engine in
                try await local(engine.task(task))
                return try await engine.task(task).report()
            }
        }
        try server.post(["tasks", task.description] + path, body)
        return try report(of: task)
    }

    func report(of task: TaskID) throws -> TaskReport {
        guard let report = try TaskReport.read(task, from: reader()) else {
            throw TaskNameError.unknown(task.description)
        }
        return report
    }
}

extension String {
    /// As a part of a path: all but letters, digits and a few marks is escaped.
    fileprivate var percentEncoded: String {
        var text = ""
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                text.unicodeScalars.append(UnicodeScalar(byte))
            default: text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }
}

extension JSON {
    /// An object with the reason, or an empty one.
    static func reason(_ reason: String?) -> JSON { .object(reason.map { [.init("reason", .string($0))] } ?? []) }
}
