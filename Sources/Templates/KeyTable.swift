/// The keys that a mapping of the format knows, as data: whatever is in none of the lists is an error.
final class KeyTable: Sendable {
    /// What the mapping is, for messages: `a step`.
    let owner: String
    /// Keys with a meaning.
    let known: [String]
    /// Other names for keys with a meaning.
    let aliases: [Alias]
    /// Keys that other engines' templates carry and that have no effect, each with what to write instead.
    let ignored: [String: String]
    private let all: Set<String>

    struct Alias: Sendable {
        var name: String
        var key: String
    }

    init(_ owner: String, _ known: [String], aliases: [Alias] = [], ignored: [String: String] = [:]) {
        self.owner = owner
        self.known = known
        self.aliases = aliases
        self.ignored = ignored
        all = Set(known + aliases.map(\.name))
    }

    func knows(_ key: String) -> Bool { all.contains(key) }

    /// All names that have a meaning, in the order of the tables.
    var names: [String] { known + aliases.map(\.name) }
}

extension KeyTable {
    static let task = KeyTable(
        "the template",
        [
            "name", "namespace_name", "version", "description", "metadata", "tags", "priority", "input_schema", "steps",
            "system_dependencies", "domain_events", "environments", "lifecycle",
        ],
        ignored: [
            "task_handler": "name a handler for each step, in 'handler.callable'",
            "loaded_from": "remove it",
            "identity_strategy": "give a task its identity when it is submitted, with --key",
        ])

    static let step = KeyTable(
        "a step",
        [
            "name", "description", "handler", "dependencies", "retry", "timeout_seconds", "result_schema", "type",
            "system_dependency", "publishes_events", "batch_config", "composition",
        ],
        aliases: [Alias(name: "depends_on", key: "dependencies"), Alias(name: "step_type", key: "type")],
        ignored: ["lifecycle": "write 'retry: {max_attempts: …}' and 'timeout_seconds'"])

    static let handler = KeyTable(
        "a handler",
        ["callable", "method", "command", "initialization", "env", "working_directory", "resolver"],
        ignored: [
            "mixins": "compose capabilities in the handler's code",
            "decision_point": "write 'type: decision' on the step",
        ])

    static let retry = KeyTable(
        "a retry policy",
        [
            "retryable", "max_attempts", "backoff", "backoff_base_ms", "max_backoff_ms", "initial_delay", "max_delay",
            "jitter", "max_lost_attempts", "limit",
        ],
        ignored: [
            "max_retries": "write 'max_attempts', which counts the first attempt too: one more",
            "backoff_multiplier": "write 'backoff: exponential', which doubles the delay, or 'backoff: linear'",
        ])

    static let environment = KeyTable("an environment", ["steps"])

    static let override = KeyTable("an override", ["name", "handler", "timeout_seconds", "retry"])

    static let overrideHandler = KeyTable("the handler of an override", ["initialization"])

    /// Where a key belongs that was written in the wrong place.
    static func home(of key: String, outside table: KeyTable) -> String? {
        let homes = [
            (retry, "under 'retry'"), (handler, "under 'handler'"), (step, "on a step"),
            (task, "on the template itself"),
        ]
        return homes.first { $0.0.owner != table.owner && $0.0.knows(key) }?.1
    }
}
