import StepwellKernel
package import StepwellLog
package import StepwellModel

/// What a command would come to, decided by the kernel on a copy of the task: nothing is written.
public struct DryRun: Hashable, Sendable {
    /// Steps that are complete and keep their results.
    public var reused: [String] = []
    /// Steps that do not run because their results are given with the command.
    public var replaced: [String] = []
    /// Steps that would be enqueued, or wait for their time.
    public var next: [String] = []
    /// Steps that come after those.
    public var later: [String] = []
    /// Steps that would not run: they have failed, were cancelled, wait for one that has, or their task is paused.
    public var held: [String] = []

    /// What the command would make of a task.
    ///
    /// - Parameter command: nil: nothing but to go on.
    /// - Throws: ``Rejection`` when the engine would refuse it; ``LogError``; ``FoldError``.
    package static func of(_ command: Command?, task: TaskID, in log: any EventReader) throws -> DryRun {
        guard let summary = try log.task(task) else { throw Rejection.unknownTask(task) }
        guard let template = try log.template(summary.template) else {
            throw LogError.corrupt("the template \(summary.template) is missing", at: summary.first)
        }
        var state = State()
        state.adopt(Plan(template, digest: summary.template))
        try log.events(of: task, after: .zero, payloads: .skipped) { try state.apply($0) }
        if let command {
            var turn = Turn(time: summary.changed)
            try state.perform(command, by: Actor(.operator), closed: summary.state.isClosed ? summary : nil, in: &turn)
        }
        return DryRun(template, state[task])
    }

    /// What the submission of a task would come to, or of a fork.
    package static func submitting(_ command: Command, _ id: TaskID) throws -> DryRun {
        guard let (_, template) = command.submitted else { return DryRun() }
        var state = State()
        var turn = Turn(time: .zero)
        try state.perform(command, by: Actor(.client), in: &turn)
        var run = DryRun(template, state[id])
        if case .forkTask(_, _, _, let results) = command {
            let given = Set(results.lazy.filter { $0.origin == .zero }.map { template.steps[$0.step].name })
            run.replaced = run.reused.filter(given.contains)
            run.reused.removeAll(where: given.contains)
        }
        return run
    }

    init() {}

    private init(_ template: Template, _ task: TaskRecord?) {
        guard let task else { return }
        var isHeld = [Bool](repeating: false, count: template.steps.count)
        for step in task.plan.dependenciesFirst {
            let state = task.steps[step].state
            isHeld[step] =
                switch state {
                case .error, .cancelled, .skipped: true
                case .pending: template.steps[step].dependencies.contains { isHeld[$0] }
                default: false
                }
        }
        let isPaused = task.state == .paused
        for (step, name) in template.steps.map(\.name).enumerated() {
            switch task.steps[step].state {
            case _ where isHeld[step]: held.append(name)
            case .complete, .resolvedManually: reused.append(name)
            case .pending where isPaused, .enqueued where isPaused, .waitingForRetry where isPaused: held.append(name)
            case .pending: later.append(name)
            default: next.append(name)
            }
        }
    }
}
