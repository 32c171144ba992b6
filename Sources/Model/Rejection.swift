/// Why the engine refused a command. A refusal is a normal answer: nothing was changed.
public enum Rejection: StepwellError, Hashable {
    case unknownTask(TaskID)
    /// The task was submitted before under the same key.
    case duplicateKey(String, TaskID)
    /// An identity key that is empty, longer than ``Submission/keyBytesMax``, or holds control characters.
    case invalidKey(String)
    case duplicateTask(TaskID)
    case taskClosed(TaskID, TaskState)
    case taskPaused(TaskID)
    case notPaused(TaskID, TaskState)
    case nothingToRetry(TaskID, TaskState)
    case stepNotFailed(String, StepState)
    case stepNotResolvable(String, StepState)
    case unknownStep(Int)
    case unsupported([String])
    case priorityOutOfRange(Int)
    case noSteps
    /// A fork that adopts the results of all of its steps, or of some twice.
    case nothingToRun
    /// The attempt is not one that the worker holds.
    case unknownLease(Lease)
    /// The target has no limit.
    case unknownLimit(LimitTarget)
    /// A limit that says nothing, or numbers that none may have.
    case invalidLimit(LimitTarget, String)
    case tooManyLimits

    public var code: String {
        switch self {
        case .unknownTask: "unknown_task"
        case .duplicateKey: "duplicate_key"
        case .invalidKey: "invalid_key"
        case .duplicateTask: "duplicate_task"
        case .taskClosed: "task_closed"
        case .taskPaused: "task_paused"
        case .notPaused: "not_paused"
        case .nothingToRetry: "nothing_to_retry"
        case .stepNotFailed: "step_not_failed"
        case .stepNotResolvable: "step_not_resolvable"
        case .unknownStep: "unknown_step"
        case .unsupported: "unsupported"
        case .priorityOutOfRange: "priority_out_of_range"
        case .noSteps: "no_steps"
        case .nothingToRun: "nothing_to_run"
        case .unknownLease: "unknown_lease"
        case .unknownLimit: "unknown_limit"
        case .invalidLimit: "invalid_limit"
        case .tooManyLimits: "too_many_limits"
        }
    }

    public var message: String {
        switch self {
        case .unknownTask(let task): "there is no task \(task)"
        case .duplicateKey(let key, let task): "the key '\(key)' belongs to task \(task) already"
        case .invalidKey(let reason): "the key \(reason)"
        case .duplicateTask(let task): "task \(task) exists already"
        case .taskClosed(let task, let state): "task \(task) is \(state.name); nothing more can happen to it"
        case .taskPaused(let task): "task \(task) is paused already"
        case .notPaused(let task, let state): "task \(task) is \(state.name), not paused"
        case .nothingToRetry(let task, let state): "task \(task) is \(state.name) and has no failed step to retry"
        case .stepNotFailed(let step, let state): "step '\(step)' is \(state.name), not failed"
        case .stepNotResolvable(let step, let state): "step '\(step)' is \(state.name) and cannot be resolved by hand"
        case .unknownStep(let step): "the task has no step number \(step)"
        case .unsupported(let features): "not supported yet: " + features.joined(separator: "; ")
        case .priorityOutOfRange(let priority): "the priority \(priority) is not between -100 and 100"
        case .noSteps: "the template has no steps"
        case .nothingToRun: "nothing of the fork would run"
        case .unknownLease(let lease): "the worker does not hold the lease \(lease)"
        case .unknownLimit(let target): "there is no limit for \(target)"
        case .invalidLimit(let target, let reason): "the limit for \(target) \(reason)"
        case .tooManyLimits: "there are \(LimitSetting.countMax) limits already"
        }
    }

    public var cure: String? {
        switch self {
        case .duplicateKey: "wait for that task, or ask for another with --new"
        case .invalidKey: "take something short that names the run, such as its date"
        case .unknownTask: "'stepwell list' shows the tasks of the store"
        case .taskPaused: "'stepwell unpause' lets it go on"
        case .nothingToRetry, .notPaused: "'stepwell show' tells what the task waits for"
        case .unknownLimit: "'stepwell limit list' shows the limits of the store"
        case .invalidLimit: "give it a number of attempts at once, or a rate such as 10/s"
        case .tooManyLimits: "'stepwell limit remove' takes one away"
        case .unsupported: "remove these keys from the template, or run it with a version that has them"
        default: nil
        }
    }
}
