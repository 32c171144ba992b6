public import StepwellModel

/// A page of a server's log, oldest first.
public struct RemoteEventPage: Sendable {
    public let events: [JSON]
    /// What comes later is after this number.
    public let nextAfter: Int
}

/// A line that a handler has written.
public struct RemoteLogLine: Sendable {
    public let time: Timestamp?
    public let step: String
    public let attempt: Int
    /// Such as `info`.
    public let level: String
    public let text: String
    /// All that the server has said.
    public let json: JSON

    init(_ json: JSON) throws(BadAnswer) {
        (time, step) = (json.time("time"), try json.text("step"))
        (attempt, level, text) = (try json.number("attempt"), try json.text("level"), try json.text("text"))
        self.json = json
    }
}

/// A page of log lines, by attempt, and in each in the order of writing.
public struct RemoteLogPage: Sendable {
    public let lines: [RemoteLogLine]
    /// The cursor of the page after it; nil at the end.
    public let next: String?
}

/// Why a task or a step waits or has failed, and what can be done.
public struct RemoteExplanation: Sendable {
    public let taskID: String
    public let state: String
    public let sentences: [String]
    /// The commands that may help.
    public let actions: [String]
    /// All that the server has said, with the events that bear it out.
    public let json: JSON

    init(_ json: JSON) throws(BadAnswer) {
        (taskID, state) = (try json.text("task_id"), try json.text("state"))
        sentences = try json.list("sentences") { sentence throws(BadAnswer) in try sentence.text("text") }
        actions = try json.list("actions") { action throws(BadAnswer) in try action.text("command") }
        self.json = json
    }
}

/// How two tasks differ.
public struct RemoteDifference: Sendable {
    public let isAlike: Bool
    /// Where they went apart, and all that differs.
    public let json: JSON
}

/// The steps of a task by what becomes of them.
public struct RemotePlan: Sendable {
    /// Those that keep their results.
    public let reused: [String]
    /// Those whose results are given.
    public let replaced: [String]
    /// Those that run next.
    public let next: [String]
    /// Those that run then.
    public let later: [String]
    /// Those that do not run.
    public let held: [String]
    /// What should be known before.
    public let warnings: [String]
    /// All that the server has said.
    public let json: JSON

    init(_ json: JSON) throws(BadAnswer) {
        _ = try json.list("next")
        (reused, replaced, next) = (json.texts("reused"), json.texts("replaced"), json.texts("next"))
        (later, held, warnings) = (json.texts("later"), json.texts("held"), json.texts("warnings"))
        self.json = json
    }
}
