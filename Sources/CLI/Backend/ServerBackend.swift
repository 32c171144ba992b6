import StepwellHTTP
import StepwellHistory
import StepwellLog
import StepwellModel

/// A server, asked over HTTP.
struct ServerBackend: Backend {
    let connection: ServerConnection

    private static let pageTasks = 1000
    private static let pageLines = 10_000

    func tasks(matching filter: TaskFilter, limit: Int) throws -> [JSON] {
        try tasks(
            [
                ("namespace", filter.namespace), ("name", filter.name), ("state", filter.state?.name),
            ], limit: limit)
    }

    /// - Parameter query: the parameters of the list; those that are nil are left out.
    func tasks(_ query: [(name: String, value: String?)], limit: Int) throws -> [JSON] {
        var found: [JSON] = []
        var cursor: String?
        repeat {
            let count = min(limit - found.count, Self.pageTasks)
            let page = try connection.get(["tasks"], query + [("limit", "\(count)"), ("cursor", cursor)])
            found += page["tasks"]?.array ?? []
            cursor = page["next"]?.string
        } while cursor != nil && found.count < limit
        return found
    }

    func findTask(_ word: String) throws -> TaskID {
        guard !word.isEmpty, let id = try connection.get(["tasks", word])["task_id"]?.string.flatMap({ TaskID($0) })
        else { throw TaskNameError.unknown(word) }
        return id
    }

    func answer(_ question: Question, needsText: Bool) throws -> Answer {
        let (path, query): ([String], [(name: String, value: String?)]) =
            switch question {
            case .report(let task, let details): (["tasks", task], [("details", details ? "true" : nil)])
            case .explanation(let task, let step): (["tasks", task, "explain"], [("step", step)])
            case .difference(let one, let other): (["tasks", one, "diff", other], [])
            case .world(let at): (["state"], [("at", at)])
            case .statistics: (["stats"], [])
            }
        guard needsText else { return .document(try connection.document(path, query)) }
        let answer = try connection.text(path, query + [("color", Terminal.stdoutIsColored ? "true" : nil)])
        return .text(answer.text, isAlike: answer.header("x-stepwell-alike") == "true")
    }

    func events(
        of task: String?, after: SequenceNumber, as form: EventForm, follows: Bool,
        _ body: @escaping (String) -> Void
    ) async throws {
        // Looked up once: 'last' may be another task after the connection has broken.
        let id = try task.map { try findTask($0) }
        var following = Following(connection, task: id, after: after, as: form)
        try following.run(follows: follows, patience: follows ? nil : Absence.patience) { event in
            body(event.data)
            return true
        }
    }

    func logLines(of task: TaskID, step: String?, _ body: (JSON) -> Void) throws {
        var cursor: String?
        repeat {
            let page = try connection.get(
                ["tasks", task.description, "logs"],
                [("step", step), ("limit", "\(Self.pageLines)"), ("cursor", cursor)])
            for line in page["lines"]?.array ?? [] { body(line) }
            cursor = page["next"]?.string
        } while cursor != nil
    }

    func export(_ task: String, redacting pointers: [String]) throws -> [UInt8] {
        try connection.ask("GET", ["tasks", task, "export"], pointers.map { ("redact", $0) }).body
    }

    func graph(ofTask task: String, _ format: GraphText.Format) throws -> String {
        try connection.text(["tasks", task, "graph"], [("format", format.rawValue)]).text
    }

    func graph(ofTemplate name: TemplateName, _ format: GraphText.Format) throws -> String {
        try connection.text(
            ["templates", name.namespace, name.name, "graph"],
            [("version", name.version), ("format", format.rawValue)]
        ).text
    }

    func templates() throws -> [JSON] { try connection.get(["templates"])["templates"]?.array ?? [] }

    func workers() throws -> [JSON] { try connection.get(["workers"])["workers"]?.array ?? [] }

    func limits() throws -> [JSON] { try connection.get(["limits"])["limits"]?.array ?? [] }

    var isHeld: Bool { (try? connection.get(["health", "ready"]))?["held"] == .bool(true) }

    func plan(_ wish: Wish?, for task: TaskID) throws -> DryRun {
        guard let wish else { return DryRun(try connection.get(["tasks", task.description, "plan"])) }
        return DryRun(try connection.post(wish.path(task), wish.body, [("dry_run", "true")]))
    }

    func perform(_ wish: Wish, on task: TaskID) async throws { _ = try connection.post(wish.path(task), wish.body) }

    /// The state of a task.
    func state(of task: TaskID) throws -> TaskState {
        guard
            let state = try connection.get(["tasks", task.description])["state"]?.string.flatMap(TaskState.init(name:))
        else { throw ServerError.notStepwell(connection.address, reason: "it tells no state of a task") }
        return state
    }

    /// A task as it is now, to be shown while it runs.
    func watched(_ task: TaskID) throws -> WatchedTask {
        let (last, path) = (try head(), ["tasks", task.description])
        let graph = try connection.get(path + ["graph"], [("format", GraphText.Format.json.rawValue)])
        guard let watched = WatchedTask(try connection.get(path), graph: graph, last: last) else {
            throw ServerError.notStepwell(connection.address, reason: "it tells no steps of a task")
        }
        return watched
    }

    /// The number of the log's last event.
    func head() throws -> SequenceNumber {
        SequenceNumber(UInt64(try connection.get(["health"])["events"]?.int ?? 0))
    }
}

extension Wish {
    fileprivate func path(_ task: TaskID) -> [String] {
        let path = ["tasks", task.description]
        return switch self {
        case .cancel: path + ["cancel"]
        case .pause: path + ["pause"]
        case .unpause: path + ["resume"]
        case .retry: path + ["retry"]
        case .resolve(let step, _, _): path + ["steps", step, "resolve"]
        }
    }

    /// What the server is sent; a result goes as it was written.
    fileprivate var body: JSONText {
        var writer = JSONWriter()
        writer.beginObject()
        switch self {
        case .cancel(let reason), .pause(let reason), .unpause(let reason): writer.reason(reason)
        case .retry(let steps, let reason):
            writer.reason(reason)
            if !steps.isEmpty { writer.member("steps", JSON.array(steps.map(JSON.string))) }
        case .resolve(_, let result, let reason):
            writer.reason(reason)
            if let result { writer.member("result", result) }
        }
        writer.endObject()
        return JSONText(trusted: writer.bytes)
    }
}

extension JSONText {
    /// An object with the reason, or an empty one.
    static func reason(_ reason: String?) -> JSONText {
        var writer = JSONWriter()
        writer.beginObject()
        writer.reason(reason)
        writer.endObject()
        return JSONText(trusted: writer.bytes)
    }
}

extension JSONWriter {
    mutating func reason(_ reason: String?) {
        if let reason { member("reason", reason) }
    }
}
