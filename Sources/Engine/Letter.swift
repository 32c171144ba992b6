package import StepwellKernel
package import StepwellModel

/// What waits in the mailbox of the loop.
package enum Letter: Sendable {
    /// The answer comes after the commit: nil when the command was accepted and is on disk.
    case command(Command, by: Actor, answer: Answer?)
    /// All of them, or none.
    case batch([Command], by: Actor, answer: BatchAnswer)
    case join(WorkerJoin, any AttemptRunner)
    case logLine(LogLine)
    /// A question to the live state, asked between two turns. One of the two is called.
    case query(@Sendable (inout LoopView) -> Void, refused: @Sendable (EngineError) -> Void)
    /// The same, asked by a client.
    case question(@Sendable (State) -> Void, refused: @Sendable (EngineError) -> Void)

    package typealias Answer = @Sendable (EngineError?) -> Void
    /// For each submission the task that has its key already, and that stands for it; nil for those that were accepted.
    package typealias BatchAnswer = @Sendable (Result<[TaskID?], BatchRefusal>) -> Void

    /// What a client may be refused when there is no room; a report from a worker may not.
    var isRefusable: Bool {
        switch self {
        case .command(_, let actor, _), .batch(_, let actor, _): actor.kind == .client || actor.kind == .operator
        case .question: true
        case .join, .logLine, .query: false
        }
    }

    /// How much of the mailbox's room it takes: as many commands as it holds.
    var weight: Int {
        if case .batch(let commands, _, _) = self { commands.count } else { 1 }
    }

    func refuse(_ error: EngineError) {
        switch self {
        case .command(_, _, let answer): answer?(error)
        case .batch(_, _, let answer): answer(.failure(BatchRefusal(index: nil, error: error)))
        case .query(_, let refused), .question(_, let refused): refused(error)
        case .join, .logLine: break
        }
    }
}

/// Why a batch was refused: the first command at fault, if one of them is.
package struct BatchRefusal: Error {
    package var index: Int?
    package var error: EngineError
}

/// What a query sees, and may leave behind: a call for when a task is settled.
package struct LoopView {
    package let state: State
    package var waiters: [(task: TaskID, call: @Sendable (Result<TaskState, EngineError>) -> Void)] = []
}
