package import StepwellKernel
package import StepwellModel

/// What waits in the mailbox of the loop.
package enum Letter: Sendable {
    /// The answer comes after the commit: nil when the command was accepted and is on disk.
    case command(Command, by: Actor, answer: Answer?)
    case join(WorkerJoin, any AttemptRunner)
    case logLine(LogLine)
    /// A question to the live state, asked between two turns. One of the two is called.
    case query(@Sendable (inout LoopView) -> Void, refused: @Sendable (EngineError) -> Void)

    package typealias Answer = @Sendable (EngineError?) -> Void

    /// What a client may be refused when there is no room; a report from a worker may not.
    var isRefusable: Bool {
        if case .command(_, let actor, _) = self { actor.kind == .client || actor.kind == .operator } else { false }
    }

    func refuse(_ error: EngineError) {
        switch self {
        case .command(_, _, let answer): answer?(error)
        case .query(_, let refused): refused(error)
        case .join, .logLine: break
        }
    }
}

/// What a query sees, and may leave behind: a call for when a task is settled.
package struct LoopView {
    package let state: State
    package var waiters: [(task: TaskID, call: @Sendable (Result<TaskState, EngineError>) -> Void)] = []
}
