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
        options: [state, namespace, name, limit, .store, .output],
        examples: ["stepwell list --state blocked_by_failures", "stepwell list --namespace data_pipeline -o json"])

    private let store: StoreLocation
    private let format: OutputFormat
    private let filter: TaskFilter
    private let limit: Int

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
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
        let tasks = try store.reader().tasks(matching: filter, limit: limit)
        switch format {
        case .json: output(JSON.array(tasks.map(\.json)).pretty)
        case .jsonl: for task in tasks { output(JSONText(task.json).description) }
        case .table:
            guard !tasks.isEmpty else {
                note("no tasks")
                return .success
            }
            var table = Table("TASK", "TEMPLATE", "KEY", "STATE", "DONE", "SUBMITTED", "TOOK")
            table.rows = tasks.map { task in
                [
                    task.id.description, "\(task.namespace)/\(task.name) \(task.version)", task.key ?? "",
                    task.state.name, "\(task.stepsDone)/\(task.stepCount)", task.submitted.description,
                    task.state.isClosed ? "\(task.changed - task.submitted)" : "",
                ]
            }
            output(table.text)
        }
        return .success
    }
}
