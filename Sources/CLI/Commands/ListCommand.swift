import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell list`
struct ListCommand: Command {
    private static let state = Option(name: "--state", value: "STATE", help: "only tasks in this state")
    private static let namespace = Option(name: "--namespace", value: "NAME", help: "only tasks of this namespace")
    private static let name = Option(name: "--name", value: "NAME", help: "only tasks of templates of this name")
    private static let limit = Option(name: "--limit", value: "N", help: "at most so many (50)")

    static let help = CommandHelp(
        name: "list", summary: "List the tasks of a store, newest first.",
        options: [state, namespace, name, limit, .store, .server, .tokenFile, .output],
        examples: ["stepwell list --state blocked_by_failures", "stepwell list --namespace data_pipeline -o json"])

    private let site: Site
    private let format: OutputFormat
    private let filter: TaskFilter
    private let limit: Int

    init(_ arguments: Arguments) throws {
        site = try Site(arguments)
        format = try OutputFormat(arguments)
        limit = try arguments.integer(Self.limit, in: 1...1_000_000) ?? 50
        let state: TaskState? = try arguments[Self.state].map { word in
            guard let state = TaskState(name: word) else {
                throw UsageError(
                    "'\(word)' is no state of a task; those are "
                        + TaskState.allCases.map(\.name).joined(separator: ", "))
            }
            return state
        }
        filter = TaskFilter(namespace: arguments[Self.namespace], name: arguments[Self.name], state: state)
    }

    func run() async throws -> ExitCode {
        format.print(
            list: try site.backend.tasks(matching: filter, limit: limit), of: "tasks",
            "TASK", "TEMPLATE", "KEY", "STATE", "DONE", "SUBMITTED", "TOOK"
        ) { task in
            func word(_ name: String) -> String { task[name]?.string ?? "" }
            func count(_ name: String) -> Int64 { task[name]?.int ?? 0 }
            let times = (Timestamp(word("submitted_at")), Timestamp(word("changed_at")))
            let isClosed = TaskState(name: word("state"))?.isClosed ?? false
            return [
                word("task_id"), "\(word("namespace"))/\(word("name")) \(word("version"))", word("key"),
                word("state"), "\(count("steps_done"))/\(count("steps"))", word("submitted_at"),
                times.0.flatMap { submitted in times.1.map { "\($0 - submitted)" } }.flatMap {
                    isClosed ? $0 : nil
                } ?? "",
            ]
        }
        return .success
    }
}
