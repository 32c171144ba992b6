/// One option of a command, as `--help` shows it.
struct Option: Sendable {
    /// With its dashes.
    var name: String
    /// What stands for the value in the help; nil for an option without one.
    var value: String?
    var help: String
    var isRepeatable = false

    static let help = Option(name: "--help", help: "show this help")
    static let store = Option(
        name: "--store", value: "DIR", help: "the store (else STEPWELL_STORE, else ./.stepwell)")
    static let server = Option(
        name: "--server", value: "URL",
        help: "ask this server, http://, https:// or unix:PATH, instead of a store (else STEPWELL_URL)")
    static let tokenFile = Option(
        name: "--token-file", value: "FILE", help: "the token for the server (else STEPWELL_TOKEN)")
    static let output = Option(
        name: "-o", value: "FORMAT", help: "json, jsonl or table; with json, stdout holds the payload alone")
    static let worker = Option(
        name: "--worker", value: "COMMAND",
        help: "start this worker, such as 'python3 -m stepwell worker handlers.py'; may be given several times",
        isRepeatable: true)
    static let secrets = Option(
        name: "--secrets", value: "DIR",
        help: "a folder with one file for each secret that a template names (else $CREDENTIALS_DIRECTORY)")
    static let input = Option(
        name: "--input", value: "JSON|@FILE", help: "the task's input: a JSON object, or a file that holds one")
    static let reason = Option(name: "--reason", value: "TEXT", help: "why, for the log")
    static let dryRun = Option(
        name: "--dry-run", help: "change nothing: say which steps would run, and which results would be reused")
    static let grace = Option(
        name: "--grace", value: "SECONDS", help: "how long running attempts may go on after SIGINT or SIGTERM (10)")
    static let environment = Option(
        name: "--environment", value: "NAME", help: "apply the template's overrides of that name")
    static let at = Option(
        name: "--at", value: "SEQ|TIME",
        help: "as it was after this event, or at this time: 412, 2026-11-24T02:00:31Z, 02:00:31 (UTC), -10m")
}
