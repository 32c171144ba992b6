import Stepwell
import StepwellEngine
import StepwellHistory
import StepwellKernel
import StepwellLog
import StepwellModel

extension Routes {
    static let tasks: [Route] = [
        Route(
            "POST", "/v1/tasks", .operate,
            Operation(
                id: "createTask", tag: "Tasks", summary: "Submit a task of a template.",
                details: """
                    The task is on disk when the answer comes. With an `idempotency_key` that has a task already, that task is \
                    the answer (200), however often the request is sent.
                    """,
                query: [.wait], body: .json("NewTask", example: Schemas.newTaskExample),
                answers: [
                    (201, "The new task.", .json("Task")), (200, "The task that the key had already.", .json("Task")),
                ],
                problems: [404, 422]),
            .later { call in
                try call.allowOnly("wait")
                let wait = try call.wait()
                let body = try TaskBody(
                    call.request.body, call.identity, traceparent: call.request.headers["traceparent"])
                let (fresh, command) = try body.command(call.service)
                var (id, isNew) = (fresh, true)
                do throws(EngineError) {
                    try await call.service.engine.core.send(command, by: body.options.actor)
                } catch .rejected(.duplicateKey(_, let owner)) {
                    (id, isNew) = (owner, false)
                }
                try await call.service.settled(id, within: wait)
                return HTTPResponse(isNew ? 201 : 200, json: try call.report(id).json)
            }),
        Route(
            "POST", "/v1/tasks/batch", .operate,
            Operation(
                id: "createTasks", tag: "Tasks", summary: "Submit many tasks: all, or none.",
                body: .json("NewTasks", example: ["tasks": .array([Schemas.newTaskExample])]),
                answers: [(200, "Their ids, in the order of the request.", .json("CreatedTasks"))],
                problems: [404, 422]),
            bodyBytesMax: 64 << 20,
            .direct { call, answer in try submitBatch(call, answer) }),
        Route(
            "GET", "/v1/tasks", .view,
            Operation(
                id: "listTasks", tag: "Tasks", summary: "List tasks, newest first.",
                query: [
                    .init("namespace", "Only tasks of this namespace."),
                    .init("name", "Only tasks of templates of this name."),
                    .init("state", "Only tasks in this state.", Schemas.taskStates),
                    .init("key", "Only the tasks that this idempotency key names."),
                    .init(
                        "limit", "At most so many.", ["type": "integer", "minimum": 1, "maximum": 1000, "default": 50]),
                    .init(
                        "cursor", "The `next` of the page before.",
                        ["type": "string", "pattern": "^[0-9]{1,15}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"]),
                ],
                answers: [(200, "A page of the list.", .json("TaskList"))]),
            .now { call in try list(call) }),
        Route(
            "GET", "/v1/tasks/{task}", .view,
            Operation(
                id: "getTask", tag: "Tasks", summary: "Show a task: its state, its steps, their results.",
                query: [
                    .wait,
                    .init(
                        "details", "Also the task's forks; as text also its input and backtraces.",
                        ["type": "boolean"]), .color,
                ],
                answers: [(200, "The task.", .shown("Task"))], problems: [404]),
            .later { call in
                try call.allowOnly("wait", "details", "color")
                let id = try call.task()
                let details = try call.flag("details")
                try await call.service.settled(id, within: try call.wait())
                var report = try call.report(id)
                if details { try report.readForks(from: call.service.store) }
                return try call.answer(
                    ShownReport(report, showsDetails: details, activity: details ? .served : .unknown))
            }),
        Route(
            "GET", "/v1/tasks/{task}/plan", .view,
            Operation(
                id: "planTask", tag: "Tasks", summary: "Say which steps are done, which run next, and which then.",
                answers: [(200, "The steps.", .json("DryRun"))], problems: [404]),
            .now { call in
                try call.allowOnly()
                return try call.dryRun(nil, try call.task())
            }),
        Route(
            "GET", "/v1/tasks/{task}/graph", .view,
            Operation(
                id: "drawTask", tag: "Tasks", summary: "Draw the steps of a task with their states.",
                query: [.graphFormat], answers: [(200, "The drawing.", .drawing)], problems: [404]),
            .now { call in
                try call.allowOnly("format")
                let report = try call.report(try call.task())
                return HTTPResponse(
                    GraphText(template: report.template, states: report.steps.map(\.state)), try call.graphFormat())
            }),
        Route(
            "GET", "/v1/tasks/{task}/logs", .view,
            Operation(
                id: "listLogLines", tag: "Tasks", summary: "List what the handlers of a task have written.",
                details: "By attempt, in the order in which they began, and in each in the order of writing.",
                query: [
                    .init("step", "Only lines of this step."),
                    .init(
                        "limit", "At most so many.",
                        ["type": "integer", "minimum": 1, "maximum": 10_000, "default": 1000]),
                    .init(
                        "cursor", "The `next` of the page before.",
                        ["type": "string", "pattern": "^[0-9]{1,15}-[0-9]{1,10}$"]),
                ],
                answers: [(200, "A page of lines.", .json("LogLines"))], problems: [404]),
            .slow { call in try logLines(call) }),
        action("cancel", "End a task: nothing more of it runs.") { id, _, reason, _ in .cancelTask(id, reason: reason)
        },
        action("pause", "Start nothing more of a task until it is resumed; what runs may end.") { id, _, reason, _ in
            .pauseTask(id, reason: reason)
        },
        action("resume", "End the pause of a task.") { id, _, reason, _ in .resumeTask(id, reason: reason) },
        Route(
            "POST", "/v1/tasks/{task}/retry", .operate,
            Operation(
                id: "retryTask", tag: "Tasks",
                summary: "Let failed steps begin again with fresh attempts; what is complete does not run again.",
                query: [.dryRun],
                body: .json("Retry", example: ["steps": ["load"], "reason": "the API is back"], isRequired: false),
                answers: [(200, "The task.", .json("Task"))], problems: [404, 409]),
            .later { call in
                try call.allowOnly("dry_run")
                let reader = try call.members(only: ["steps", "reason"])
                let (steps, reason) = try reading { () throws(Malformed) in
                    (try reader.optionalStrings("steps"), try reader.optionalString("reason"))
                }
                let id = try call.task()
                if try call.flag("dry_run") {
                    let indexes = try call.service.store.stepIndexes(of: steps, in: id)
                    return try call.dryRun(.retryTask(id, steps: indexes, reason: reason), id)
                }
                try await call.service.engine.task(id).retry(steps: steps, reason: reason, by: call.identity.actor())
                return HTTPResponse(json: try call.report(id).json)
            }),
    ]

    /// A wish about one task that takes nothing but a reason.
    static func action(
        _ verb: String, _ summary: String, _ command: @escaping @Sendable (TaskID, Call, String?, Service) -> Command
    ) -> Route {
        Route(
            "POST", "/v1/tasks/{task}/\(verb)", .operate,
            Operation(
                id: "\(verb)Task", tag: "Tasks", summary: summary, query: [.dryRun],
                body: .json("Reason", example: ["reason": "wrong input"], isRequired: false),
                answers: [(200, "The task.", .json("Task"))], problems: [404, 409]),
            .later { call in
                try call.allowOnly("dry_run")
                let reader = try call.members(only: ["reason"])
                let reason = try reading { () throws(Malformed) in try reader.optionalString("reason") }
                let id = try call.task()
                if try call.flag("dry_run") {
                    return try call.dryRun(command(id, call, reason, call.service), id)
                }
                try await call.service.engine.core.send(
                    command(id, call, reason, call.service), by: call.identity.actor())
                return HTTPResponse(json: try call.report(id).json)
            })
    }

    private static func list(_ call: Call) throws -> HTTPResponse {
        try call.allowOnly("namespace", "name", "state", "key", "limit", "cursor")
        let limit = try call.integer("limit", in: 1...1000) ?? 50
        var filter = TaskFilter(
            namespace: call.request.queried("namespace"), name: call.request.queried("name"), state: try call.state())
        if let cursor = call.request.queried("cursor") {
            guard let place = TaskPlace(cursor: cursor) else {
                throw Problem.malformed("'\(cursor)' is no cursor", cure: "take the 'next' of the page before")
            }
            filter.before = place
        }
        if let key = call.request.queried("key") {
            let found = try call.service.store.tasks(key: key).filter { task in
                call.identity.namespaces.includes(task.namespace) && filter.state ?? task.state == task.state
                    && filter.namespace ?? task.namespace == task.namespace && filter.name ?? task.name == task.name
                    && filter.before.map { (task.submitted, task.id) < ($0.submitted, $0.id) } ?? true
            }
            return page(Array(found.prefix(limit)), limit)
        }
        return page(try call.visible(filter, limit), limit)
    }

    private static func page(_ tasks: [TaskSummary], _ limit: Int) -> HTTPResponse {
        // A page that is not full is the last.
        let next = tasks.count == limit ? tasks.last.map { JSON.string(TaskPlace($0).cursor) } : nil
        return HTTPResponse(json: ["tasks": .array(tasks.map(\.json)), "next": next ?? .null])
    }

    private static let batchMax = 10_000

    private static func submitBatch(_ call: Call, _ answer: @escaping HTTPServer.Answer) throws {
        let reader = try call.members(only: ["tasks"])
        let elements = try reading { () throws(Malformed) in try reader.elements("tasks") }
        guard 1...batchMax ~= elements.count else {
            throw Problem.malformed("'tasks' must hold 1 to \(batchMax) tasks, not \(elements.count)")
        }
        struct Key: Hashable { var namespace, name, key: String }
        var commands: [Command] = []
        var ids: [TaskID] = []
        /// For each task of the request the command that it goes with.
        var places: [(command: Int, isFirst: Bool)] = []
        var keys: [Key: Int] = [:]
        for (index, element) in elements.enumerated() {
            do {
                let body = try TaskBody(
                    call.request.body, in: element, call.identity, traceparent: call.request.headers["traceparent"])
                let key = body.options.key.map { Key(namespace: body.namespace, name: body.name, key: $0) }
                if let key, let known = keys[key] {
                    places.append((known, false))
                    continue
                }
                let (id, command) = try body.command(call.service)
                if let key { keys[key] = commands.count }
                places.append((commands.count, true))
                ids.append(id)
                commands.append(command)
            } catch {
                var problem = Problem(error)
                problem.message = "tasks[\(index)]: \(problem.message)"
                throw problem
            }
        }
        call.service.engine.core.post(batch: commands, by: call.identity.actor(.client)) { [ids, places] result in
            switch result {
            case .failure(let refusal):
                let index = refusal.index.flatMap { index in places.firstIndex { $0.command == index } }
                var problem = Problem(refusal.error)
                if let index { problem.message = "tasks[\(index)]: \(problem.message)" }
                answer(problem.response)
            case .success(let owners):
                answer(
                    HTTPResponse(
                        json: [
                            "tasks": .array(
                                places.map { place in
                                    [
                                        "task_id": .string((owners[place.command] ?? ids[place.command]).description),
                                        "created": .bool(place.isFirst && owners[place.command] == nil),
                                    ]
                                })
                        ]))
            }
        }
    }
}

extension Operation.Parameter {
    static let wait = Operation.Parameter(
        "wait",
        "Answer when the task is settled (complete, cancelled, blocked by failures), or after so long: `30s`, `500ms`, `2m`.",
        ["type": "string", "pattern": "^([0-9]{1,5}ms|[0-9]{1,2}s?|[0-4]m)$"])
}

extension Call {
    private static let waitMax = Milliseconds.seconds(300)

    func wait() throws(Problem) -> Milliseconds { try duration("wait", max: Self.waitMax) ?? .zero }

    /// The task that the path names.
    func task() throws -> TaskID { try service.find(self["task"], identity) }

    func report(_ id: TaskID) throws -> TaskReport {
        guard let report = try TaskReport.read(id, from: service.store) else {
            throw TaskNameError.unknown(id.description)
        }
        return report
    }

    /// The tasks that match and that the client may see.
    func visible(_ filter: TaskFilter, _ limit: Int) throws -> [TaskSummary] {
        guard case .only(let namespaces) = identity.namespaces else {
            return try service.store.tasks(matching: filter, limit: limit)
        }
        if let namespace = filter.namespace, !namespaces.contains(namespace) { return [] }
        var found: [TaskSummary] = []
        for namespace in filter.namespace.map({ [$0] }) ?? namespaces {
            var filter = filter
            filter.namespace = namespace
            found += try service.store.tasks(matching: filter, limit: limit)
        }
        return Array(found.sorted { ($0.submitted, $0.id) > ($1.submitted, $1.id) }.prefix(limit))
    }
}

extension TaskPlace {
    init(_ task: TaskSummary) { self.init(submitted: task.submitted, id: task.id) }

    /// For a client, who only gives it back.
    var cursor: String { "\(submitted.milliseconds)-\(id)" }

    init?(cursor: String) {
        let parts = cursor.split(separator: "-", maxSplits: 1)
        guard parts.count == 2, let time = Int64(parts[0]), let id = TaskID(String(parts[1])) else { return nil }
        self.init(submitted: Timestamp(milliseconds: time), id: id)
    }
}
