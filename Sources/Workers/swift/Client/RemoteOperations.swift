public import StepwellModel

/// What can be done to many tasks.
public enum BulkAction: String, Hashable, Sendable, CaseIterable {
    case cancel, retry, pause, resume
}

/// What was done to each of many tasks, the newest first. One that refuses does not hold up the others.
public struct RemoteBulk: Hashable, Sendable {
    public let isDryRun: Bool
    public let tasks: [Outcome]

    /// What was done to one of them.
    public struct Outcome: Hashable, Sendable {
        public let taskID: String
        /// Before it was acted on.
        public let state: String
        /// False when it has refused, and in a dry run.
        public let isDone: Bool
        /// Why it has refused, for programs; nil when it has not.
        public let code: String?
        /// The same for people.
        public let detail: String?

        init(_ json: JSON) throws(BadAnswer) {
            (taskID, state) = (try json.text("task_id"), try json.text("state"))
            isDone = try json.flag("done")
            (code, detail) = (json["code"]?.string, json["detail"]?.string)
        }
    }

    init(_ json: JSON) throws(BadAnswer) {
        isDryRun = try json.flag("dry_run")
        tasks = try json.list("tasks") { task throws(BadAnswer) in try Outcome(task) }
    }
}

/// How much has left a store, or would.
public struct RemotePruning: Hashable, Sendable {
    public let isDryRun: Bool
    public let tasks: Int
    public let events: Int

    init(_ json: JSON) throws(BadAnswer) {
        isDryRun = try json.flag("dry_run")
        (tasks, events) = (try json.number("tasks"), try json.number("events"))
    }
}

/// How much a store holds.
public struct RemoteStatistics: Sendable {
    public let storeID: String
    public let events: Int
    public let commits: Int
    /// All that the server has said: it also counts by state, by day and by table.
    public let json: JSON

    init(_ json: JSON) throws(BadAnswer) {
        storeID = try json.text("store_id")
        (events, commits) = (try json.number("events"), try json.number("commits"))
        self.json = json
    }
}

/// Who works for a server.
public struct RemoteWorkerInfo: Sendable {
    public let name: String
    /// Such as `remote`.
    public let kind: String
    public let handlers: [String]
    /// How many attempts it runs at once at most.
    public let concurrency: Int
    public let running: Int
    /// Those that it works for; none: all.
    public let namespaces: [String]
    /// Of a worker that connects from elsewhere.
    public let id: String?
    /// All that the server has said.
    public let json: JSON

    init(_ json: JSON) throws(BadAnswer) {
        (name, kind) = (try json.text("name"), try json.text("kind"))
        handlers = try json.list("handlers") { handler throws(BadAnswer) in try handler.text("name") }
        (concurrency, running) = (try json.number("concurrency"), try json.number("running"))
        (namespaces, id) = (json.texts("namespaces"), json["worker_id"]?.string)
        self.json = json
    }
}
