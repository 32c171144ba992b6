import StepwellKernel
import StepwellModel

/// Someone asks for something.
struct Request {
    var command: Command
    var actor: Actor

    init(_ command: Command, by kind: Actor.Kind) {
        self.command = command
        actor = Actor(kind)
    }
}

/// The engine's loop without its thread and its disk: turns over a state, the log of all records, and the log's index.
struct Driver {
    struct Answer {
        var records: [EventRecord] = []
        var effects: [Effect] = []
        /// What was refused, by the request's place.
        var rejections: [Int: Rejection] = [:]
    }

    var state = State()
    var now = Timestamp(milliseconds: 1_700_000_000_000)
    private(set) var log: [EventRecord] = []
    /// All tasks, and the newest one of each key, as they were after the last turn.
    private(set) var index: [TaskID: TaskSummary] = [:]
    private(set) var newest: [String: TaskID] = [:]
    private(set) var templates: [TemplateDigest: Template] = [:]

    /// One commit: the requests, then what has come due, each with all that follows from it.
    mutating func turn(_ requests: [Request]) -> Answer {
        var (turn, answer) = (Turn(time: now), Answer())
        for (place, request) in requests.enumerated() {
            let closed = request.command.task.flatMap { index[$0] }.flatMap { $0.state.isClosed ? $0 : nil }
            do {
                try state.perform(request.command, by: request.actor, closed: closed, in: &turn)
                if let (submission, template) = request.command.submitted {
                    templates[submission.template] = template
                }
            } catch {
                answer.rejections[place] = error
            }
        }
        state.performDueTimers(in: &turn)
        state.end(&turn)
        log += turn.records
        for record in turn.records {
            guard let task = record.task, case .taskSubmitted(let submission) = record.event else { continue }
            if let key = submission.key { newest[key] = task }
        }
        for summary in turn.summaries { index[summary.id] = summary }
        (answer.records, answer.effects) = (turn.records, turn.effects)
        return answer
    }

    /// A submission, with what the index knows of its key.
    func submit(
        _ task: TaskID, _ template: Template, digest: TemplateDigest, key: String? = nil, priority: Int = 0,
        replacing: Bool = false
    ) -> Request {
        let submission = Submission(
            template: digest, namespace: template.namespace, name: template.name, version: template.version,
            priority: priority, key: key, correlationID: "story")
        let known = key.flatMap { newest[$0] }.flatMap { state[$0] == nil ? $0 : nil }
        return Request(.submitTask(task, submission, template, known: known, replacing: replacing), by: .client)
    }

    var history: History { History(records: log[...], templates: templates) }
}

extension Command {
    fileprivate var task: TaskID? {
        switch self {
        case .submitTask(let task, _, _, _, _), .forkTask(let task, _, _, _), .finishAttempt(let task, _, _),
            .checkpointAttempt(let task, _, _),
            .retryTask(let task, _, _), .cancelTask(let task, _), .pauseTask(let task, _), .resumeTask(let task, _),
            .resolveStep(let task, _, _, _):
            task
        case .startEngine, .drainEngine, .stopEngine, .registerTemplate, .setLimit, .removeLimit, .pruneTasks,
            .joinWorker,
            .loseWorker:
            nil
        }
    }
}
