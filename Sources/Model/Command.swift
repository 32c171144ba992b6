/// Everything that may be asked of the engine, and everything that the outside world reports to it: the one way in.
package enum Command: Sendable {
    case startEngine(EngineStart)
    case drainEngine
    case stopEngine
    /// Makes a template known. That its version has no other text, whoever keeps the catalog has seen to.
    indirect case registerTemplate(Template, TemplateDigest)
    /// Sets a limit, or sets it anew.
    indirect case setLimit(LimitSetting, reason: String?)
    case removeLimit(LimitTarget, reason: String?)
    /// Lets closed tasks leave the log. That they may, and how many events they have, whoever keeps the log has seen to.
    indirect case pruneTasks([TaskID], StorePruning)
    case joinWorker(WorkerJoin)
    case loseWorker(WorkerID, reason: String)
    /// `known` is the task that the log's index names for the submission's key, if it is closed.
    indirect case submitTask(TaskID, Submission, Template, known: TaskID?, replacing: Bool)
    /// A submission whose steps in `results` are not run: just those that it says to adopt.
    indirect case forkTask(TaskID, Submission, Template, results: [AdoptedResult])
    case finishAttempt(TaskID, AttemptID, AttemptOutcome)
    case checkpointAttempt(TaskID, AttemptID, data: JSONText)
    /// No steps: all that have failed.
    case retryTask(TaskID, steps: [StepIndex], reason: String?)
    case cancelTask(TaskID, reason: String?)
    case pauseTask(TaskID, reason: String?)
    case resumeTask(TaskID, reason: String?)
    case resolveStep(TaskID, StepIndex, result: JSONText?, reason: String?)
}

extension Command {
    /// The task that the command submits.
    package var submitted: (Submission, Template)? {
        switch self {
        case .submitTask(_, let submission, let template, _, _), .forkTask(_, let submission, let template, _):
            (submission, template)
        default: nil
        }
    }
}

/// How an attempt ended, as whoever ran it reports.
package enum AttemptOutcome: Sendable {
    case succeeded(JSONText, metadata: JSONText?)
    indirect case failed(Failure)
    /// It was asked to stop and has.
    case stopped
}
