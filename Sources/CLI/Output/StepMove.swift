import StepwellLog
import StepwellModel

/// What an event means for a tree of steps.
struct StepMove: Sendable {
    enum Change: Sendable {
        case enqueued
        case started(attempt: Int)
        /// The attempt has come to nothing.
        case failed(String)
        case waits(until: Timestamp)
        case ended(StepState)
        case reset
        case taskCancelled
        /// Nothing of the task runs before somebody does something.
        case taskSettled
        case taskGoesOn
    }

    var number: SequenceNumber
    var task: TaskID
    var time: Timestamp
    /// Nil when it is about the task.
    var step: StepIndex?
    var change: Change
}

extension StepMove {
    /// Nil for an event that moves nothing.
    init?(_ record: EventRecord) {
        guard let task = record.task, let (step, change) = Self.change(record.event) else { return nil }
        self.init(number: record.number, task: task, time: record.time, step: step, change: change)
    }

    private static func change(_ event: Event) -> (StepIndex?, Change)? {
        switch event {
        case .stepEnqueued(let step): (step, .enqueued)
        case .attemptStarted(let start): (start.step, .started(attempt: start.attempt))
        case .attemptFailed(let attempt, let failure): (attempt.step, .failed(failure.message))
        case .attemptTimedOut(let attempt): (attempt.step, .failed("timed out"))
        case .attemptLost(let attempt, let reason): (attempt.step, .failed("lost: \(reason.name)"))
        case .retryScheduled(let step, let due): (step, .waits(until: due))
        case .stepCompleted(let step), .stepAdopted(let step): (step, .ended(.complete))
        case .stepFailed(let step, _): (step, .ended(.error))
        case .stepResolved(let step): (step, .ended(.resolvedManually))
        case .stepReset(let step): (step, .reset)
        case .taskCancelled: (nil, .taskCancelled)
        case .taskCompleted, .taskBlocked, .operatorPaused: (nil, .taskSettled)
        case .operatorRetried, .operatorResumed, .operatorResolved: (nil, .taskGoesOn)
        default: nil
        }
    }
}

extension StepMove {
    /// Reads an event as a server tells it in JSON; nil for one that moves nothing.
    init?(told text: String) {
        guard let json = try? JSONParser.parse(text), let number = json["seq"]?.int, number > 0,
            let task = json["task_id"]?.string.flatMap({ TaskID($0) }), let time = json["time_ms"]?.int,
            let type = json["type"]?.string.flatMap(EventType.init(name:)), let data = json["data"],
            let change = Self.change(type, told: data)
        else { return nil }
        self.init(
            number: SequenceNumber(UInt64(number)), task: task, time: Timestamp(milliseconds: time),
            step: change.isOfTask ? nil : data["step_index"]?.int.map { StepIndex($0) }, change: change)
        // A step that nobody names cannot move.
        if step == nil, !change.isOfTask { return nil }
    }

    private static func change(_ type: EventType, told data: JSON) -> Change? {
        switch type {
        case .stepEnqueued: .enqueued
        case .attemptStarted: .started(attempt: Int(data["attempt"]?.int ?? 1))
        case .attemptFailed: .failed(data["message"]?.string ?? "")
        case .attemptTimedOut: .failed("timed out")
        case .attemptLost: .failed("lost: \(data["reason"]?.string ?? "")")
        case .retryScheduled: data["due_ms"]?.int.map { .waits(until: Timestamp(milliseconds: $0)) }
        case .stepCompleted, .stepAdopted: .ended(.complete)
        case .stepFailed: .ended(.error)
        case .stepResolved: .ended(.resolvedManually)
        case .stepReset: .reset
        case .taskCancelled: .taskCancelled
        case .taskCompleted, .taskBlocked, .operatorPaused: .taskSettled
        case .operatorRetried, .operatorResumed, .operatorResolved: .taskGoesOn
        default: nil
        }
    }
}

extension StepMove.Change {
    fileprivate var isOfTask: Bool {
        switch self {
        case .taskCancelled, .taskSettled, .taskGoesOn: true
        default: false
        }
    }
}
